#include "setup.h"

#include <cstdio>
#include <iostream>
#include <unistd.h>

namespace issuer::demo {

Setup::Setup() : _colours(::isatty(STDOUT_FILENO) == 1) {}

void Setup::title(const std::string& text)
{
	print(_colours ? "\n\033[1m" + text + "\033[0m" : "\n" + text);
}

void Setup::tell(const std::string& text)
{
	const std::chrono::duration<double> since = std::chrono::steady_clock::now() - _begin;
	char time[16];
	std::snprintf(time, sizeof time, "%5.1f s  ", since.count());
	print(time + text);
}

void Setup::quote(const std::string& line)
{
	print(_colours ? "         \033[2m" + line + "\033[0m" : "         | " + line);
}

void Setup::confirm(const std::string& text)
{
	print((_colours ? "  \033[32mseen\033[0m   " : "  seen   ") + text);
}

void Setup::print(const std::string& text)
{
	const std::lock_guard lock(_mutex);
	std::cout << text << std::endl;
}

} // namespace issuer::demo
