/// A callable behind the function pointer and `ctx` of the contract.
#pragma once

#include <exception>

namespace issuer::kit {

namespace detail {

/// Lends a callable to a C function pointer for one call. An exception of it does not cross the C call: it is kept for
/// the caller.
template <class Callable>
class Lent
{
public:
	explicit Lent(const Callable& callable) : _callable(callable) {}

	template <class... Argument>
	void operator()(const Argument&... argument) noexcept
	{
		try {
			_callable(argument...);
		}
		catch (...) {
			_thrown = std::current_exception();
		}
	}

	void rethrow() const
	{
		if (_thrown) {
			std::rethrow_exception(_thrown);
		}
	}

private:
	const Callable& _callable;
	std::exception_ptr _thrown;
};

} // namespace detail

} // namespace issuer::kit
