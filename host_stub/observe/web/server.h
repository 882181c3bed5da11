#pragma once

#include "common/result.h"
#include "observe/web/connections.h"
#include "observe/web/listen.h"
#include "observe/web/site.h"

#include <memory>

namespace issuer::observe::web {

/// Serves a site over HTTP or HTTPS, from threads of its own, until it is destroyed.
///
/// Certificate and key are read anew when their files change; a pair that does not fit leaves the old one in use. At a
/// loopback address it answers only to names of this machine: a page from elsewhere, whose name was made to point here,
/// does not get to read it.
class Server
{
public:
	/// Binds and begins. `site` outlives it. The error names the address and what to do.
	[[nodiscard]] static Result<std::unique_ptr<Server>> start(
		const Settings& settings, const Site& site, const Connections::Limits& limits = {});
	~Server();
	Server(const Server&) = delete;
	Server& operator=(const Server&) = delete;

	/// With the port that the system chose.
	[[nodiscard]] std::string url() const;

private:
	struct Parts;
	explicit Server(std::unique_ptr<Parts> parts);

	std::unique_ptr<Parts> _parts;
};

} // namespace issuer::observe::web
