#include "client.h"

#include <condition_variable>
#include <fstream>
#include <mutex>

#include <Poco/Exception.h>

namespace issuer::demo {

using namespace std::chrono_literals;

Client::Client(const Vault& vault, std::filesystem::path sink)
	: _vault(vault), _sink(std::move(sink)), _thread([this](const std::stop_token& stop) {
		  std::mutex mutex;
		  std::condition_variable_any never;
		  for (std::unique_lock lock(mutex); !stop.stop_requested();) {
			  use();
			  never.wait_for(lock, stop, 100ms, [] { return false; });
		  }
	  })
{
}

void Client::use()
{
	std::ifstream file(_sink);
	std::string token;
	if (!std::getline(file, token)) {
		++_refused; // a reader of the sink must find a token there
		return;
	}
	try {
		++(_vault.accepts(token) ? _served : _refused);
	}
	catch (const Poco::Exception&) {
		// The outage: says nothing of the token.
	}
}

} // namespace issuer::demo
