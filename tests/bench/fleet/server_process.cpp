#include "server_process.h"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <sys/wait.h>

namespace issuer::bench {

ServerProcess::ServerProcess(const ServerOptions& options)
{
	std::array<int, 2> in{};
	std::array<int, 2> out{};
	if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) {
		throw std::runtime_error("no pipe for the server");
	}
	_process = ::fork();
	if (_process == 0) {
		::dup2(in[0], STDIN_FILENO);
		::dup2(out[1], STDOUT_FILENO);
		const auto lease = std::to_string(options.leaseSeconds);
		if (options.certificate.empty()) {
			::execl(options.program.c_str(), "bench_server", lease.c_str(), nullptr);
		}
		else {
			::execl(options.program.c_str(), "bench_server", lease.c_str(), options.certificate.c_str(),
				options.key.c_str(), nullptr);
		}
		std::_Exit(127);
	}
	::close(in[0]);
	::close(out[1]);
	_commands = vault::Descriptor(in[1]);
	_answers = vault::Descriptor(out[0]);
	_port = static_cast<std::uint16_t>(readNumber());
	// Not as a sum, in which GCC 12 sees an overlap that is not there (-Wrestrict).
	_address.append(options.certificate.empty() ? "http" : "https")
		.append("://127.0.0.1:")
		.append(std::to_string(_port));
}

ServerProcess::~ServerProcess()
{
	_commands = vault::Descriptor(); // moved into the temporary, which closes it: the server ends
	::waitpid(_process, nullptr, 0);
}

double ServerProcess::tell(const std::string& command)
{
	const auto line = command + "\n";
	if (::write(_commands.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
		throw std::runtime_error("the server takes no commands");
	}
	return readNumber();
}

double ServerProcess::readNumber()
{
	std::string line;
	for (char c = 0; c != '\n';) {
		if (::read(_answers.get(), &c, 1) != 1) {
			throw std::runtime_error("the server has ended");
		}
		line += c;
	}
	return std::strtod(line.c_str(), nullptr);
}

} // namespace issuer::bench
