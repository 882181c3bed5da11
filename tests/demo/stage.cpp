#include "stage.h"

#include <cstdio>
#include <iostream>
#include <unistd.h>

namespace issuer::demo {

Stage::Stage() : _colours(::isatty(STDOUT_FILENO) == 1) {}

void Stage::title(const std::string& text)
{
	print(_colours ? "\n\033[1m" + text + "\033[0m" : "\n" + text);
}

void Stage::tell(const std::string& text)
{
	const std::chrono::duration<double> since = std::chrono::steady_clock::now() - _begin;
	char time[16];
	std::snprintf(time, sizeof time, "%5.1f s  ", since.count());
	print(time + text);
}

void Stage::quote(const std::string& line)
{
	print(_colours ? "         \033[2m" + line + "\033[0m" : "         | " + line);
}

void Stage::confirm(const std::string& text)
{
	print((_colours ? "  \033[32mseen\033[0m   " : "  seen   ") + text);
}

void Stage::print(const std::string& text)
{
	const std::lock_guard lock(_mutex);
	std::cout << text << std::endl;
}

} // namespace issuer::demo
