#pragma once

#include <Poco/Pipe.h>
#include <Poco/PipeStream.h>
#include <Poco/Process.h>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace issuer::test {

/// issuer-host as a user runs it.
class Program
{
public:
	explicit Program(const std::vector<std::string>& arguments, Poco::Process::Env environment = {})
		: _handle(launch(arguments, environment)), _lines(_out)
	{
	}

	/// Reads stdout until lines with each of `texts` have come, and returns these lines; empty: it ended without.
	template <class... Text>
	std::string lineWith(const Text&... texts)
	{
		std::set<std::string> missing{texts...};
		std::string found;
		for (std::string line; !missing.empty() && std::getline(_lines, line);) {
			if (std::erase_if(missing, [&](const std::string& text) { return line.find(text) != std::string::npos; }) >
				0) {
				found += line;
			}
		}
		return missing.empty() ? found : "";
	}

	/// Reads stdout until `wanted` lines with `text` have come, and returns how many have before it ended.
	std::size_t linesWith(const std::string& text, std::size_t wanted)
	{
		std::size_t found = 0;
		for (std::string line; found < wanted && std::getline(_lines, line);) {
			found += line.find(text) != std::string::npos ? 1U : 0U;
		}
		return found;
	}

	void signal(int number) const { ::kill(_handle.id(), number); }

	/// Sends a signal that the program waits for, and returns once it has been taken: two that come at the same time
	/// are one.
	void signalAndAwait(int number) const
	{
		signal(number);
		for (bool pending = true; pending; std::this_thread::yield()) {
			std::ifstream status("/proc/" + std::to_string(_handle.id()) + "/status");
			std::string mask = "0";
			for (std::string word; status >> word && word != "ShdPnd:";) {
			}
			status >> mask;
			pending = (std::stoull(mask, nullptr, 16) >> static_cast<unsigned>(number - 1) & 1U) != 0;
		}
	}

	/// Waits for its end and returns its output. Both are short: neither pipe fills up while the other is read.
	int wait(std::string* out = nullptr, std::string* err = nullptr)
	{
		Poco::PipeInputStream errors(_err);
		const std::string said(std::istreambuf_iterator<char>(_lines), {});
		const std::string complained(std::istreambuf_iterator<char>(errors), {});
		(out == nullptr ? _ignored : *out) = said;
		(err == nullptr ? _ignored : *err) = complained;
		return _handle.wait();
	}

private:
	Poco::ProcessHandle launch(const std::vector<std::string>& arguments, Poco::Process::Env& environment)
	{
		// A host that already runs for this user has its control socket there.
		environment.insert({{"XDG_RUNTIME_DIR", ""}, {"RUNTIME_DIRECTORY", ""}});
		return Poco::Process::launch(ISSUER_HOST, arguments, nullptr, &_out, &_err, environment);
	}

	Poco::Pipe _out;
	Poco::Pipe _err;
	std::string _ignored;
	Poco::ProcessHandle _handle;
	Poco::PipeInputStream _lines;
};

} // namespace issuer::test
