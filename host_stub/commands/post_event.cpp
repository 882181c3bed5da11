#include "commands/commands.h"

#include "commands/exit_codes.h"
#include "commands/http_session.h"
#include "commands/quick_config.h"

#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/URI.h>
#include <iostream>
#include <iterator>

namespace issuer::commands {

namespace {

/// `issuer-host post-event`, run by the host itself: posts the line of JSON on stdin to the URL in $ISSUER_POST_URL. In
/// a process of its own, for which the time is bounded and the URL is no argument that others can read.
class PostEvent final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "post-event"; }
	[[nodiscard]] std::string_view summary() const override { return {}; }
	[[nodiscard]] std::string_view help() const override { return "Run by the host, for \"exec\" with a \"url\".\n"; }
	void defineOptions(Poco::Util::OptionSet&) const override {}
	bool setOption(const std::string&, std::string&) override { return true; }
	int run(const std::vector<std::string>& arguments) override;
};

using Poco::Net::HTTPRequest;
using Poco::Net::HTTPResponse;

HTTPResponse::HTTPStatus post(const Poco::URI& uri, const std::string& body)
{
	const auto session = sessionFor(uri);
	HTTPRequest request(
		HTTPRequest::HTTP_POST, uri.getPathAndQuery().empty() ? "/" : uri.getPathAndQuery(), "HTTP/1.1");
	request.setContentType("application/json");
	request.setContentLength(static_cast<std::streamsize>(body.size()));
	request.set("User-Agent", "issuer-host/" ISSUER_VERSION);
	session->sendRequest(request) << body;
	HTTPResponse response;
	session->receiveResponse(response);
	return response.getStatus();
}

} // namespace

int PostEvent::run(const std::vector<std::string>&)
try {
	const Poco::URI uri(environmentVariable("ISSUER_POST_URL").value_or(""));
	const std::string body(std::istreambuf_iterator<char>(std::cin), {});
	const auto status = post(uri, body);
	if (status >= 200 && status < 300) {
		return exitOk;
	}
	std::cerr << "issuer-host: " << uri.getHost() << " answers a posted event with " << status << '\n';
	return exitFindings;
}
catch (const Poco::Exception& error) { // whose text names no URL
	std::cerr << "issuer-host: an event cannot be posted: " << error.displayText() << '\n';
	return exitTemporary;
}

std::unique_ptr<Command> makePostEvent()
{
	return std::make_unique<PostEvent>();
}

} // namespace issuer::commands
