#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <utility>

namespace issuer::vault {

/// Stores equal values once: ten thousand issuers with the same settings share one copy. [thread-safe]
template <class Value>
class SharedValues
{
public:
	/// Returns the stored value that equals `value`; it stays for as long as a reference to it exists.
	[[nodiscard]] std::shared_ptr<const Value> share(Value value)
	{
		auto shared = std::make_shared<const Value>(std::move(value));
		const std::lock_guard lock(_mutex);
		if (_values.size() >= _clearAt) { // not on each call: that would be quadratic where no two are equal
			std::erase_if(_values, [](const auto& known) { return known.use_count() == 1; });
			_clearAt = 2 * _values.size() + 16;
		}
		return *_values.insert(std::move(shared)).first;
	}

private:
	struct ByValue
	{
		bool operator()(const std::shared_ptr<const Value>& a, const std::shared_ptr<const Value>& b) const
		{
			return *a < *b;
		}
	};

	std::mutex _mutex;
	std::set<std::shared_ptr<const Value>, ByValue> _values; ///< unreferenced ones are removed when others are added
	std::size_t _clearAt = 16;
};

} // namespace issuer::vault
