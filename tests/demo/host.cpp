#include "host.h"

#include <csignal>
#include <poll.h>

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

namespace issuer::demo {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds limit(60);
constexpr int glance = 50; ///< milliseconds between two looks at the journal

Event parsed(const std::string& line)
{
	const auto json = Poco::JSON::Parser().parse(line).extract<Poco::JSON::Object::Ptr>();
	Event event;
	event.type = json->optValue<std::string>("type", "");
	event.issuer = json->optValue<std::string>("issuer", "");
	event.unixMs = json->optValue<std::int64_t>("unix_ms", 0);
	event.action = json->optValue<std::string>("action", "");
	event.text = json->optValue<std::string>("text", "");
	event.kind = json->optValue<std::string>("kind", "");
	event.result = json->optValue<std::string>("result", "");
	event.state = json->optValue<std::string>("state", "");
	event.expiresUnixMs = json->optValue<std::int64_t>("expires_unix_ms", -1);
	return event;
}

} // namespace

Host::Host(Setup& setup, const std::filesystem::path& program, const std::filesystem::path& config,
	std::filesystem::path journal)
	: _setup(setup), _journal(std::move(journal)), _process(program, {"run", "--config", config.string()}),
	  _echo([this] {
		  while (const auto line = _process.readLine()) {
			  _setup.quote(*line);
		  }
	  })
{
}

Host::~Host()
{
	_process.signal(SIGKILL);
	_echo.join();
}

void Host::reload() const
{
	_process.signal(SIGHUP);
}

int Host::stop()
{
	_process.signal(SIGTERM);
	return _process.wait();
}

void Host::waitFor(const std::string& what, const std::function<bool(const Events&)>& shown)
{
	for (const auto end = steady_clock::now() + limit; !shown(events()); ::poll(nullptr, 0, glance)) {
		if (_process.hasEnded()) {
			throw Failure("issuer-host ended before " + what);
		}
		if (steady_clock::now() > end) {
			throw Failure("within a minute the host's journal did not show " + what);
		}
	}
}

const Events& Host::events()
{
	readJournal();
	return _events;
}

void Host::readJournal()
{
	std::ifstream file(_journal);
	file.seekg(_readUpTo);
	for (std::string line; std::getline(file, line) && !file.eof();) { // the last one may not be all there yet
		_readUpTo += static_cast<std::streamoff>(line.size() + 1);
		_events.push_back(parsed(line));
	}
}

} // namespace issuer::demo
