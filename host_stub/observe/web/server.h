#pragma once

#include "common/result.h"
#include "observe/web/connections.h"
#include "observe/web/listen.h"
#include "observe/web/site.h"

#include <memory>

namespace issuer::observe::web {

/// Serves a site over HTTP or HTTPS, from threads of its own, until it is destroyed.
///
/// Certificate and key are read again when their files change; a pair that does not fit together leaves the old one in
/// use. At a loopback address it answers only requests for names of this machine: a page from elsewhere, whose name was
/// made to resolve to this address, cannot read it (DNS rebinding).
class Server
{
public:
	/// Binds and begins to serve. `site` must outlive it. The error names the address and the next step.
	[[nodiscard]] static Result<std::unique_ptr<Server>> start(
		const Settings& settings, const Site& site, const Connections::Limits& limits = {});
	~Server();
	Server(const Server&) = delete;
	Server& operator=(const Server&) = delete;

	/// Returns the address, with the port that the system chose.
	[[nodiscard]] std::string url() const;

private:
	struct Parts;
	explicit Server(std::unique_ptr<Parts> parts);

	std::unique_ptr<Parts> _parts;
};

} // namespace issuer::observe::web
