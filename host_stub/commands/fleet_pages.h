#pragma once

#include "common/result.h"

#include <Poco/JSON/Object.h>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

/// What the members of a fleet tell of their issuers by themselves, merged for `issuer-host status --fleet`.
namespace issuer::commands {

/// Which issuers of a member are wanted.
enum class Issuers
{
	worst, ///< ten at most
	all,
};

/// Returns the answer to a request of observe/web/API.md at a member, such as /api/v1/issuers?limit=10. May block.
using AskPage = std::function<Result<std::string>(const std::string& url, const std::string& pathAndQuery)>;

/// Returns the one that asks over HTTP, where TLS is judged by `caFile`, or the system's authorities if it is empty.
[[nodiscard]] AskPage askOverHttp(const std::string& caFile);

/// An issuer as the member that keeps it tells.
struct ToldIssuer
{
	std::string name;
	std::string severity;
	std::string keptBy;
};

/// Asks all other members of `fleet`, the host's own answer, at the URLs of their pages, all at once, for `limit` in
/// sum. Writes into each member of `fleet` who told of it, "told_by": "page", or "pulse", which is what it wrote into
/// etcd last, and "trouble": why its page did not; with a page's answer its "severities", and the fleet's "worst", are
/// the page's. Returns the issuers that answered for themselves.
[[nodiscard]] std::vector<ToldIssuer> askMembers(
	Poco::JSON::Object& fleet, Issuers wanted, const AskPage& ask, std::chrono::milliseconds limit);

/// Writes "issuers" into `fleet`: each issuer that `own` pages name, an answer of this host each, with its keeper and
/// severity; those of `told` as their keepers tell. An issuer that two members keep for a while is there twice.
void addIssuers(Poco::JSON::Object& fleet, const std::vector<std::string>& own, const std::vector<ToldIssuer>& told);

} // namespace issuer::commands
