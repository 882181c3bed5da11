#include "commands/fleet_pages.h"

#include "commands/http_session.h"
#include "common/text.h"
#include "registry/calls.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Timespan.h>
#include <Poco/URI.h>
#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <istream>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace issuer::commands {

using Poco::JSON::Array;
using Poco::JSON::Object;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t pageSize = 1000; ///< most that a page hands out at a time
constexpr std::size_t worstCount = 10;

Object::Ptr parsed(const std::string& text)
{
	constexpr std::size_t deepest = 16;
	Poco::JSON::Parser parser;
	parser.setDepth(deepest);
	return parser.parse(text).extract<Object::Ptr>();
}

/// Reads a body, which is another machine's, up to a bound. Throws Poco::Exception.
std::string bodyOf(std::istream& stream)
{
	constexpr std::size_t longest = std::size_t{16} << 20;
	std::string body;
	std::array<char, 16384> block;
	while (stream.read(block.data(), block.size()), stream.gcount() > 0) {
		body.append(block.data(), static_cast<std::size_t>(stream.gcount()));
		if (body.size() > longest) {
			throw Poco::DataException("its answer is larger than 16 MiB");
		}
	}
	return body;
}

Result<std::string> get(const std::string& url, const std::string& pathAndQuery, const std::string& caFile)
try {
	using namespace Poco::Net;
	Poco::URI uri(url);
	std::string path = uri.getPath();
	path.erase(path.find_last_not_of('/') + 1);
	const auto session = sessionFor(uri, caFile);
	session->setTimeout(Poco::Timespan(5, 0));
	HTTPRequest request(HTTPRequest::HTTP_GET, path + pathAndQuery, HTTPRequest::HTTP_1_1);
	request.set("User-Agent", "issuer-host/" ISSUER_VERSION);
	session->sendRequest(request);
	HTTPResponse response;
	std::string body = bodyOf(session->receiveResponse(response));
	return response.getStatus() == HTTPResponse::HTTP_OK
			   ? Result<std::string>(std::move(body))
			   : failure("it answers with " + std::to_string(response.getStatus()));
}
catch (const Poco::TimeoutException&) {
	return failure("it does not answer for 5 s");
}
catch (const Poco::Exception& error) {
	return failure(sanitize(error.displayText()));
}

/// What one member's page has told.
struct PageAnswer
{
	Object::Ptr severities;
	std::vector<std::pair<std::string, std::string>> issuers; ///< name and severity
};

/// Asks one member for all that is wanted, page after page.
Result<PageAnswer> pageAnswer(const AskPage& ask, const std::string& url, Issuers wanted)
try {
	const std::size_t limit = wanted == Issuers::worst ? worstCount : pageSize;
	const std::string query = std::string("/api/v1/issuers?severity=here&order=") +
							  (wanted == Issuers::worst ? "urgency" : "name") + "&limit=" + std::to_string(limit);
	PageAnswer all;
	for (std::size_t offset = 0;; offset += limit) {
		const Result<std::string> text = ask(url, query + "&offset=" + std::to_string(offset));
		if (!text) {
			return tl::unexpected(text.error());
		}
		const Object::Ptr answer = parsed(*text);
		const Array::Ptr issuers = answer->getArray("issuers");
		all.severities = answer->getObject("severities");
		if (issuers.isNull() || all.severities.isNull()) {
			return failure("its answer makes no sense to this version");
		}
		for (unsigned i = 0; i < issuers->size(); ++i) {
			const Object::Ptr issuer = issuers->getObject(i);
			all.issuers.emplace_back(issuer->getValue<std::string>("name"), issuer->getValue<std::string>("severity"));
		}
		if (wanted == Issuers::worst || issuers->size() < limit) {
			return all;
		}
	}
}
catch (const Poco::Exception&) {
	return failure("its answer makes no sense to this version");
}

/// Returns the place of a severity among those that an operator has to see, worst first; their number: it is none.
std::size_t placeOf(std::string_view severity)
{
	constexpr std::array<std::string_view, 4> worstFirst{"dead", "overdue", "endangered", "ending"};
	return static_cast<std::size_t>(std::ranges::find(worstFirst, severity) - worstFirst.begin());
}

Array::Ptr listOf(const std::vector<ToldIssuer>& issuers)
{
	Array::Ptr list = new Array;
	for (const ToldIssuer& issuer : issuers) {
		Object::Ptr one = new Object;
		one->set("name", issuer.name);
		one->set("severity", issuer.severity);
		one->set("kept_by", issuer.keptBy);
		list->add(one);
	}
	return list;
}

/// Replaces the worst issuers that the members whose pages `answered` had written into etcd by those of their pages.
void mergeWorst(Object& fleet, const std::vector<ToldIssuer>& told, const std::set<std::string>& answered)
{
	constexpr std::size_t severities = 4;
	std::vector<ToldIssuer> worst;
	std::ranges::copy_if(told, std::back_inserter(worst),
		[](const ToldIssuer& issuer) { return placeOf(issuer.severity) < severities; });
	if (const Array::Ptr before = fleet.getArray("worst"); !before.isNull()) {
		for (unsigned i = 0; i < before->size(); ++i) {
			const Object::Ptr issuer = before->getObject(i);
			const auto keeper = issuer->getValue<std::string>("kept_by");
			if (!answered.contains(keeper)) {
				worst.push_back(
					{issuer->getValue<std::string>("name"), issuer->getValue<std::string>("severity"), keeper});
			}
		}
	}
	std::ranges::sort(
		worst, {}, [](const ToldIssuer& issuer) { return std::pair(placeOf(issuer.severity), issuer.name); });
	worst.resize(std::min(worst.size(), worstCount));
	fleet.set("worst", listOf(worst));
}

} // namespace

AskPage askOverHttp(const std::string& caFile)
{
	return [caFile](const std::string& url, const std::string& pathAndQuery) { return get(url, pathAndQuery, caFile); };
}

std::vector<ToldIssuer> askMembers(Object& fleet, Issuers wanted, const AskPage& ask, std::chrono::milliseconds limit)
{
	// Threads that are still asking at the end are left behind, with what they use.
	struct Asking
	{
		std::mutex mutex; ///< guards all below
		std::condition_variable changed;
		std::size_t open = 0;
		std::vector<std::optional<Result<PageAnswer>>> answers; ///< of each member; none: not yet
	};
	const Array::Ptr members = fleet.getArray("members");
	const auto own = fleet.getValue<std::string>("member");
	const auto asking = std::make_shared<Asking>();
	const auto calls = registry::Calls::make();
	const auto deadline = registry::Calls::Clock::now() + limit;
	asking->answers.resize(members->size());
	std::unique_lock lock(asking->mutex);
	for (unsigned i = 0; i < members->size(); ++i) {
		const Object::Ptr member = members->getObject(i);
		auto url = member->optValue<std::string>("url", "");
		if (member->getValue<std::string>("name") == own) {
			continue;
		}
		if (url.empty()) {
			asking->answers[i] = failure("it has no \"url\"");
			continue;
		}
		++asking->open;
		calls->post([asking, i, url = std::move(url), wanted, ask] {
			auto answer = pageAnswer(ask, url, wanted);
			const std::lock_guard answering(asking->mutex);
			asking->answers[i] = std::move(answer);
			--asking->open;
			asking->changed.notify_all();
		});
	}
	static_cast<void>(calls->await(lock, asking->changed, deadline, [&] { return asking->open == 0; }));

	std::vector<ToldIssuer> told;
	std::set<std::string> answered;
	for (unsigned i = 0; i < members->size(); ++i) {
		Object::Ptr member = members->getObject(i);
		const auto name = member->getValue<std::string>("name");
		const auto& answer = asking->answers[i];
		const bool page = name == own || (answer && *answer);
		member->set("told_by", std::string(page ? "page" : "pulse"));
		member->set("trouble", page     ? Poco::Dynamic::Var()
							   : answer ? Poco::Dynamic::Var(answer->error().text)
										: Poco::Dynamic::Var(std::string("it has not told all in time")));
		if (name != own && page) {
			answered.insert(name);
			member->set("severities", (*answer)->severities);
			for (const auto& [issuer, severity] : (*answer)->issuers) {
				told.push_back({issuer, severity, name});
			}
		}
	}
	mergeWorst(fleet, told, answered);
	return told;
}

void addIssuers(Object& fleet, const std::vector<std::string>& own, const std::vector<ToldIssuer>& told)
{
	const auto here = fleet.getValue<std::string>("member");
	std::vector<ToldIssuer> all = told;
	std::set<std::string, std::less<>> known; // by their keepers' own words
	for (const ToldIssuer& issuer : told) {
		known.insert(issuer.name);
	}
	for (const std::string& page : own) {
		const Array::Ptr issuers = parsed(page)->getArray("issuers");
		for (unsigned i = 0; i < issuers->size(); ++i) {
			const Object::Ptr issuer = issuers->getObject(i);
			auto name = issuer->getValue<std::string>("name");
			auto severity = issuer->getValue<std::string>("severity");
			const bool isHere = severity != "elsewhere";
			if (isHere || !known.contains(name)) {
				all.push_back({std::move(name), std::move(severity),
					isHere ? here : issuer->optValue<std::string>("kept_by", "")});
			}
		}
	}
	std::ranges::sort(all, {}, [](const ToldIssuer& issuer) { return std::tie(issuer.name, issuer.keptBy); });
	fleet.set("issuers", listOf(all));
}

} // namespace issuer::commands
