#pragma once

#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>

namespace issuer::demo {

/// A claim that did not come true; the text says which.
class Failure : public std::runtime_error
{
public:
	using std::runtime_error::runtime_error;
};

/// The terminal: the narrator's lines, and the programs' lines, indented. [thread-safe]
class Setup
{
public:
	Setup();

	void title(const std::string& text);
	void tell(const std::string& text);
	void quote(const std::string& line); ///< a program's own words
	void confirm(const std::string& text);

private:
	void print(const std::string& text);

	const std::chrono::steady_clock::time_point _begin = std::chrono::steady_clock::now();
	const bool _colours;
	std::mutex _mutex;
};

} // namespace issuer::demo
