#pragma once

namespace issuer::test {

/// While it lives this process gets no further thread, as at the limit of its user or its control group. Needs
/// no_threads.cpp in the test's own program.
class NoThreads
{
public:
	NoThreads();
	~NoThreads();
	NoThreads(const NoThreads&) = delete;
	NoThreads& operator=(const NoThreads&) = delete;

	/// Returns how many threads were refused since it was created.
	[[nodiscard]] int refused() const;
};

} // namespace issuer::test
