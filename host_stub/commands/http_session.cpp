#include "commands/http_session.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPSClientSession.h>

namespace issuer::commands {

using Poco::Net::Context;
using Poco::Net::HTTPClientSession;
using Poco::Net::HTTPSClientSession;

std::unique_ptr<HTTPClientSession> sessionFor(const Poco::URI& uri, const std::filesystem::path& caFile)
{
	if (uri.getScheme() == "http") {
		return std::make_unique<HTTPClientSession>(uri.getHost(), uri.getPort());
	}
	constexpr int deepest = 9;
	Context::Ptr context(
		new Context(Context::TLS_CLIENT_USE, caFile.string(), Context::VERIFY_STRICT, deepest, caFile.empty()));
	context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
	return std::make_unique<HTTPSClientSession>(uri.getHost(), uri.getPort(), context);
}

} // namespace issuer::commands
