#pragma once

#include "common/result.h"

#include <Poco/JSON/Object.h>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

/// Merges the pages of a fleet's members for `issuer-host status --fleet`.
namespace issuer::commands {

/// Which issuers of a member are wanted.
enum class Issuers
{
	worst, ///< ten at most
	all,
};

/// Returns the answer to a request of observe/web/API.md at a member, such as /api/v1/issuers?limit=10. May block.
using AskPage = std::function<Result<std::string>(const std::string& url, const std::string& pathAndQuery)>;

/// Returns an AskPage over HTTP. Certificates are verified against `caFile`, or the system's authorities if it is
/// empty.
[[nodiscard]] AskPage askOverHttp(const std::string& caFile);

/// An issuer as the member that keeps it tells.
struct ToldIssuer
{
	std::string name;
	std::string severity;
	std::string keptBy;
};

/// Asks the pages of all other members of `fleet`, at once, and returns the issuers that the pages tell. `fleet` is the
/// host's own answer. Blocks for `limit` at most.
///
/// Writes into each member of `fleet` the source of its numbers and, from a page, the numbers themselves:
/// - "told_by": "page", or "pulse" for those that the member wrote into etcd last;
/// - "trouble": why its page could not be read; null if it was;
/// - "severities": those of the page, where it was read.
/// "worst" of `fleet` is merged anew from pages and pulses.
[[nodiscard]] std::vector<ToldIssuer> askMembers(
	Poco::JSON::Object& fleet, Issuers wanted, const AskPage& ask, std::chrono::milliseconds limit);

/// Writes "issuers" into `fleet`: name, severity and keeper of each issuer in `own`, the pages of this host, and in
/// `told`. Where both have an issuer that another member keeps, `told` counts. An issuer that two members keep for a
/// while is listed twice.
void addIssuers(Poco::JSON::Object& fleet, const std::vector<std::string>& own, const std::vector<ToldIssuer>& told);

} // namespace issuer::commands
