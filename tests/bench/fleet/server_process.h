#pragma once

#include "base/descriptor.h"

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace issuer::bench {

struct ServerOptions
{
	std::string program;
	int leaseSeconds = 3600;
	std::string certificate; ///< empty: plain
	std::string key;
};

/// A bench_server in a process of its own, ended with the object. Its commands are told there.
class ServerProcess
{
public:
	explicit ServerProcess(const ServerOptions& options);
	~ServerProcess();
	ServerProcess(const ServerProcess&) = delete;
	ServerProcess& operator=(const ServerProcess&) = delete;

	/// "http://127.0.0.1:12345"
	[[nodiscard]] const std::string& address() const { return _address; }
	[[nodiscard]] std::uint16_t port() const { return _port; }

	/// Its answer, when it has obeyed.
	double tell(const std::string& command);

private:
	[[nodiscard]] double readNumber();

	pid_t _process = -1;
	vault::Descriptor _commands;
	vault::Descriptor _answers;
	std::uint16_t _port = 0;
	std::string _address;
};

} // namespace issuer::bench
