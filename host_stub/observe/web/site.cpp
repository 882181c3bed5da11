#include "observe/web/site.h"

#include "common/json_object.h"
#include "observe/fleet/progress.h"
#include "observe/metrics/metrics.h"
#include "observe/web/fleet_json.h"
#include "observe/web/issuers_json.h"
#include "observe/web/page.h"
#include "observe/web/readiness.h"

#include <Poco/Base64Encoder.h>
#include <Poco/Exception.h>
#include <Poco/SHA2Engine.h>
#include <Poco/URI.h>
#include <algorithm>
#include <sstream>

namespace issuer::observe::web {

namespace {

constexpr const char* plainText = "text/plain; charset=utf-8";
constexpr const char* json = "application/json";

/// Returns the hash of the text between `open` and `close` in the page, in the form of a content security policy.
std::string hashBetween(std::string_view open, std::string_view close)
{
	const std::size_t begin = page.find(open) + open.size();
	const std::string_view content = page.substr(begin, page.find(close, begin) - begin);
	Poco::SHA2Engine engine(Poco::SHA2Engine::SHA_256);
	engine.update(content.data(), content.size());
	const Poco::DigestEngine::Digest& digest = engine.digest();
	std::ostringstream text;
	Poco::Base64Encoder encoder(text);
	encoder.write(reinterpret_cast<const char*>(digest.data()), static_cast<std::streamsize>(digest.size()));
	encoder.close();
	return "'sha256-" + text.str() + "'";
}

/// Allows the page its own style and script, and nothing from elsewhere.
std::string pagePolicy()
{
	return "default-src 'none'; style-src " + hashBetween("<style>", "</style>") + "; script-src " +
		   hashBetween("<script>", "</script>") +
		   "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

std::string lines(const std::vector<std::string>& sentences)
{
	constexpr std::size_t most = 20;
	std::string text;
	for (std::size_t i = 0; i < std::min(most, sentences.size()); ++i) {
		text += sentences[i] + '\n';
	}
	return sentences.size() <= most ? text : text + "and " + std::to_string(sentences.size() - most) + " more\n";
}

} // namespace

Site::Site(const Fleet& fleet, HostSnapshot snapshot, const Metrics& metrics, FleetSnapshot part, FleetSnapshot whole)
	: _fleet(fleet), _snapshot(std::move(snapshot)), _metrics(metrics), _part(std::move(part)),
	  _whole(std::move(whole)), _life(std::to_string(fleet.now().time_since_epoch().count())), _pagePolicy(pagePolicy())
{
}

Answer Site::get(const std::string& target, std::string_view knownEtag) const
{
	const std::string path = target.substr(0, target.find('?'));
	if (path == "/") {
		return {200, "text/html; charset=utf-8", std::string(page), {}, _pagePolicy};
	}
	if (path == "/api/v1/issuers") {
		return issuers(target, knownEtag);
	}
	if (path == "/api/v1/fleet") {
		return {200, json, fleetJson(_whole ? _whole() : std::nullopt), {}, {}};
	}
	if (path == "/metrics") {
		return {200, Metrics::contentType, _metrics.text(), {}, {}};
	}
	if (path == "/healthz") {
		return health();
	}
	if (path == "/readyz") {
		return readiness();
	}
	return {404, plainText, "not found; available: /, /api/v1/issuers, /api/v1/fleet, /metrics, /healthz, /readyz\n",
		{}, {}};
}

Answer Site::issuers(const std::string& target, std::string_view knownEtag) const
{
	std::map<std::string, std::string> query;
	try {
		for (auto& [key, value] : Poco::URI(target).getQueryParameters()) {
			query[key] = value;
		}
	}
	catch (const Poco::Exception&) {
		return {400, json, JsonObject().add("error", "the query cannot be read").text(), {}, {}};
	}
	const Result<Selection> selection = selectionFrom(query);
	if (!selection) {
		return {400, json, JsonObject().add("error", selection.error().text).text(), {}, {}};
	}
	const std::string etag = '"' + _life + '-' + std::to_string(_fleet.revision()) + '"';
	if (knownEtag == etag) {
		return {304, json, {}, etag, {}};
	}
	return {200, json, issuersJson(_fleet, _snapshot, *selection), etag, {}};
}

Answer Site::health() const
{
	const std::string stalled = stall(viewAll(_fleet, _snapshot), _fleet.lastEvent(), _fleet.steadyNow());
	return stalled.empty() ? Answer{200, plainText, "ok\n", {}, {}} : Answer{503, plainText, stalled + '\n', {}, {}};
}

Answer Site::readiness() const
{
	const std::vector<std::string> reasons = reasonsNotReady(_fleet, _snapshot, _part);
	return reasons.empty() ? Answer{200, plainText, "ready\n", {}, {}} : Answer{503, plainText, lines(reasons), {}, {}};
}

} // namespace issuer::observe::web
