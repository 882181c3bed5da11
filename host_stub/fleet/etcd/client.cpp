#include "fleet/etcd/client.h"

#include "fleet/etcd/troubles.h"

#include "base/json_strings.h"
#include "base/wiped_json.h"
#include "common/descriptor.h"
#include "common/text.h"
#include "transport/body_lines.h"
#include "transport/settings.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <optional>
#include <system_error>
#include <unistd.h>

namespace issuer::fleet::etcd {

namespace {

using Kind = Trouble::Kind;
using vault::ExchangeError;
using vault::WipedString;

constexpr std::size_t largestReply = 64 * 1024 * 1024; ///< bytes of JSON; reads ask for a few MiB at a time
constexpr std::size_t largestLine = 16 * 1024 * 1024;  ///< bytes of one object of a stream
constexpr std::size_t largestPassword = 4096;

/// Returns the end of a sentence about a text that should have been a JSON object.
std::string notJson(std::string_view text)
{
	constexpr std::size_t longestQuote = 200;
	return "something other than JSON: «" + sanitize(text.substr(0, longestQuote)) + "»";
}

/// Stores a whole body. One that does not begin as an object, such as a proxy's page, ends the exchange, so that the
/// next request goes to another endpoint.
class WholeBody final : public vault::BodyReader
{
public:
	vault::Result<void> take(std::string_view piece) override
	{
		if (body.size() + piece.size() > largestReply) {
			return vault::failure("the reply is longer than 64 MiB");
		}
		if (body.empty() && piece.front() != '{') {
			return vault::failure("answers with " + notJson(piece));
		}
		body += piece;
		return {};
	}

	std::string body;
};

/// Returns the trouble of an exchange that brought no reply.
Trouble withoutReply(const ExchangeError& error)
{
	switch (error.kind) {
	case ExchangeError::Kind::cancelled:
		return {Kind::cancelled, error.text};
	case ExchangeError::Kind::timeout:
	case ExchangeError::Kind::network:
	case ExchangeError::Kind::tls:
	case ExchangeError::Kind::malformed:
	case ExchangeError::Kind::configuration:
		break;
	}
	return {Kind::away, error.text};
}

tl::unexpected<Trouble> trouble(Kind kind, std::string text)
{
	return tl::unexpected(Trouble{kind, std::move(text)});
}

/// Returns the first line of a password file. The error names the file.
Answer<WipedString> passwordFrom(const std::string& path)
{
	const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	WipedString password(largestPassword, '\0');
	const auto size = file.valid() ? ::read(file.get(), password.data(), password.size()) : -1;
	if (size < 0) {
		return trouble(
			Kind::denied, "etcd.password.file " + path + " cannot be read: " + std::generic_category().message(errno));
	}
	password.resize(static_cast<std::size_t>(size));
	password.resize(password.find_last_not_of("\r\n") + 1);
	if (password.empty()) {
		return trouble(Kind::denied, "etcd.password.file " + path + " is empty");
	}
	return password;
}

/// Returns the member `token` of a reply to an authentication, without a copy elsewhere.
std::optional<WipedString> tokenIn(std::string_view reply)
{
	vault::JsonStrings strings(reply);
	while (const auto key = strings.next()) {
		if (key->key && reply.substr(key->begin, key->size) == "token") {
			if (const auto token = strings.next(); token && token->size > 0) {
				return WipedString(reply.substr(token->begin, token->size));
			}
		}
	}
	return std::nullopt;
}

} // namespace

Result<std::unique_ptr<Client>> Client::create(const Settings& settings)
{
	vault::transport::Settings transport;
	transport.tls = {settings.caFile, {}, settings.clientCert, settings.clientKey, settings.serverName};
	transport.redirects = vault::transport::Redirects::none;
	transport.userAgent = "issuer-host";
	for (const auto& endpoint : settings.endpoints) {
		auto address = vault::transport::Address::parse(endpoint);
		if (!address) {
			return failure("endpoints: " + sanitize(endpoint) + " " + address.error().text);
		}
		transport.addresses.push_back(std::move(*address));
	}
	if (transport.addresses.empty()) {
		return failure("endpoints: at least one is needed, such as https://etcd-1.example:2379");
	}
	if (settings.user.empty() != settings.passwordFile.empty()) {
		return failure(settings.user.empty() ? "password: needs a user" : "user: needs a password");
	}
	return std::unique_ptr<Client>(
		new Client(settings, transport.addresses.size(), vault::transport::Clients().get(transport)));
}

Client::Client(const Settings& settings, std::size_t endpoints, std::shared_ptr<vault::transport::Exchange> exchange)
	: _user(settings.user), _passwordFile(settings.passwordFile), _endpoints(endpoints), _exchange(std::move(exchange))
{
}

/// Sends one request. `reader` takes the body of a success; null: it is returned.
vault::Task<Answer<std::string>> Client::post(
	std::string_view method, const WipedString& json, vault::BodyReader* reader, Deadline deadline)
{
	WholeBody whole;
	vault::HttpRequest request;
	request.method = "POST";
	request.path = "/v3/" + std::string(method);
	// Without a leader a call or watch ends after some seconds instead of hanging for ever.
	request.headers = {{"Content-Type", "application/json"}, {"Grpc-Metadata-hasleader", "true"}};
	request.body = json;
	request.bodyReader = reader != nullptr ? reader : &whole;
	WipedString token; // of its own: another task may authenticate meanwhile
	if (!_token.empty() && method != "auth/authenticate") {
		token = _token;
		request.secretHeader = "Authorization";
		request.secret = token;
	}
	auto reply = co_await _exchange->carry(request, deadline);
	if (!reply) {
		co_return tl::unexpected(withoutReply(reply.error()));
	}
	if (reply->sentBefore) {
		++_resends;
	}
	if (!reply->coding.empty()) {
		co_return trouble(Kind::away, "answered in the coding " + sanitize(reply->coding) + ", which etcd never uses");
	}
	if (reply->status != 200) {
		co_return tl::unexpected(troubleOf(reply->status, reply->body));
	}
	co_return std::move(whole.body);
}

/// Gets a token for the user.
vault::Task<Answer<void>> Client::authenticate(Deadline deadline)
{
	auto password = passwordFrom(_passwordFile);
	if (!password) {
		co_return tl::unexpected(password.error());
	}
	WipedString json;
	json.reserve(2 * (_user.size() + 6 * password->size()) + 64); // at once: growing would leave copies behind
	json.append("{\"name\":");
	vault::appendJsonString(json, _user);
	json.append(",\"password\":");
	vault::appendJsonString(json, *password);
	json.append("}");

	// The reply is kept by the exchange, in memory that is wiped.
	vault::HttpRequest request;
	request.method = "POST";
	request.path = "/v3/auth/authenticate";
	request.headers = {{"Content-Type", "application/json"}};
	request.body = json;
	const auto reply = co_await _exchange->carry(request, deadline);
	if (!reply) {
		co_return tl::unexpected(withoutReply(reply.error()));
	}
	auto token = reply->status == 200 ? tokenIn(reply->body) : std::nullopt;
	if (token) {
		_token = std::move(*token);
		++_authentications;
		co_return Answer<void>();
	}
	if (reply->status == 200) {
		co_return trouble(Kind::away, "answered an authentication without a token");
	}
	auto refused = troubleOf(reply->status, reply->body);
	if (refused.text.find("authentication is not enabled") != std::string::npos) {
		_token.clear(); // then no request needs one
		++_authentications;
		co_return Answer<void>();
	}
	if (refused.kind == Kind::denied) {
		refused.text = "etcd does not authenticate the user " + sanitize(_user) + ": " + refused.text;
	}
	co_return tl::unexpected(std::move(refused));
}

/// Authenticates if no task has done so yet.
vault::Task<Answer<void>> Client::authenticateOnce(Deadline deadline)
{
	if (_user.empty() || _authentications > 0) {
		co_return Answer<void>();
	}
	co_return co_await authenticate(deadline);
}

/// Authenticates if that may help against `trouble`. `authentication`: the number of the one that the request was sent
/// with. Returns whether the request may be sent again, or the trouble with the authentication.
vault::Task<Answer<bool>> Client::mayAskAgain(const Trouble& trouble, unsigned authentication, Deadline deadline)
{
	if (_user.empty() || !wantsAuthentication(trouble)) {
		co_return false;
	}
	if (authentication != _authentications) {
		co_return true; // another task has authenticated meanwhile
	}
	const auto done = co_await authenticate(deadline);
	if (!done) {
		co_return tl::unexpected(done.error());
	}
	co_return true;
}

Client::Task Client::call(std::string_view method, std::string json, Deadline deadline)
{
	const WipedString body(json);
	const auto known = co_await authenticateOnce(deadline);
	if (!known) {
		co_return tl::unexpected(known.error());
	}
	auto authentication = _authentications;
	auto reply = co_await post(method, body, nullptr, deadline);
	if (!reply) {
		const auto again = co_await mayAskAgain(reply.error(), authentication, deadline);
		if (!again) {
			co_return tl::unexpected(again.error());
		}
		if (*again) {
			reply = co_await post(method, body, nullptr, deadline);
		}
	}
	if (!reply) {
		co_return tl::unexpected(_user.empty() ? reply.error() : ofUser(reply.error()));
	}
	auto object = jsonObject(*reply);
	if (!object) {
		co_return trouble(Kind::away, "etcd's answer to " + std::string(method) + " is " + notJson(*reply));
	}
	co_return object;
}

vault::Task<Trouble> Client::stream(std::string_view method, std::string json, const Line& line, Deadline deadline)
{
	const WipedString body(json);
	const auto known = co_await authenticateOnce(deadline);
	if (!known) {
		co_return known.error();
	}
	std::optional<Trouble> ended;
	const auto take = [&](std::string_view text) -> vault::Result<void> {
		const auto object = jsonObject(text);
		if (!object) {
			ended = Trouble{Kind::away, "a line of the stream is not JSON"};
		}
		else if (const auto error = objectIn(*object, "error")) {
			ended = troubleOfStream(*error);
		}
		else if (const auto result = objectIn(*object, "result")) {
			if (auto taken = line(*result); !taken) {
				ended = std::move(taken.error());
			}
		}
		return ended ? vault::Result<void>(vault::failure(ended->text)) : vault::Result<void>();
	};
	vault::transport::BodyLines lines(largestLine, take);
	const auto authentication = _authentications;
	const auto reply = co_await post(method, body, &lines, deadline);
	if (reply && !ended && !lines.rest().empty()) {
		static_cast<void>(take(lines.rest())); // the gateway does not end the line of a stream's last error
	}
	auto why = ended ? *ended : reply ? Trouble{Kind::away, "the stream ended"} : reply.error();
	if (why.kind == Kind::denied) {
		// The next stream then has a new token.
		static_cast<void>(co_await mayAskAgain(why, authentication, deadline));
	}
	co_return why;
}

} // namespace issuer::fleet::etcd
