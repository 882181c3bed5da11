#pragma once

#include "program.h"
#include "temp_dir.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <string>
#include <vector>

namespace issuer::test {

/// A configuration of the program, and the output of its commands.
class ProgramWithIssuers : public testing::Test
{
protected:
	static std::string issuer(const std::string& name, const std::string& plugin, const std::string& config = "{}")
	{
		return R"({"name":")" + name + R"(","plugin":")" + plugin + R"(","config":)" + config + "}";
	}

	/// Writes the configuration; `more` are further members, each after a comma.
	void configure(
		const std::string& issuers, const std::string& more = R"(,"stop_timeout":"1s","swap_timeout":"1s")") const
	{
		const std::filesystem::path next = config.string() + ".next";
		std::ofstream(next) << "{\"issuers\":[" << issuers << ']' << more << '}';
		std::filesystem::rename(next, config);
	}

	/// Runs a command against the program's control socket. Returns its exit code; `said` gets its output.
	int ask(std::vector<std::string> arguments, std::string* said = nullptr) const
	{
		arguments.insert(arguments.end(), {"--control", control});
		return run(arguments, said);
	}

	static int run(const std::vector<std::string>& arguments, std::string* said = nullptr)
	{
		std::string out;
		std::string err;
		const int code = Program(arguments).wait(&out, &err);
		if (said != nullptr) {
			*said = out + err;
		}
		return code;
	}

	TempDir temp;
	const std::filesystem::path config = temp.path() / "host.json";
	const std::string control = temp.path() / "control.sock";
};

} // namespace issuer::test
