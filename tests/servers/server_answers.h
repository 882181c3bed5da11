#pragma once

#include "servers.h"

#include <gmock/gmock.h>

#include <functional>
#include <iosfwd>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <Poco/Dynamic/Var.h>

namespace issuer::test {

enum class ServerKind
{
	fake,
	real,
};

/// `real` when there is a real server to ask, else nothing.
[[nodiscard]] std::vector<ServerKind> realServers();
[[nodiscard]] std::string nameOf(const testing::TestParamInfo<ServerKind>& info);

/// Answers that both kinds of server must give. The tests of a process share one server of a kind and must not depend
/// on its earlier use.
class ServerAnswers : public testing::TestWithParam<ServerKind>
{
protected:
	using Headers = std::map<std::string, std::string>;

	[[nodiscard]] AskedServer& server();
	/// Returns a server of this test's own, for actions that would disturb the other tests.
	[[nodiscard]] std::unique_ptr<AskedServer> freshServer() const;

	/// `path` is below /v1/, or begins with '/' and is all of it.
	ApiReply ask(const std::string& method, const std::string& path, const std::string& token,
		const std::string& body = "", const Headers& headers = {});
	ApiReply asRoot(const std::string& path, const std::string& body, const Headers& headers = {});
	ApiReply renew(const std::string& token, const std::string& body = "{}", const Headers& headers = {});
	ApiReply lookUp(const std::string& token, const Headers& headers = {});

	/// A token made by root, as the body of auth/token/create wishes it.
	std::string create(const std::string& wish, const std::string& path = "create", const Headers& headers = {});

	/// Lets time pass until a call answers otherwise than with this status, and returns that answer.
	ApiReply untilOtherThan(int status, const std::function<ApiReply()>& call);

	/// A name that no other test uses.
	[[nodiscard]] static std::string own(const std::string& kind);
};

ApiReply askServer(const AskedServer& server, const std::string& method, const std::string& path,
	const std::string& token, const std::string& body = "", const std::map<std::string, std::string>& headers = {});

/// A value in the reply's JSON, "auth.lease_duration"; empty when it is not there or null.
[[nodiscard]] Poco::Dynamic::Var field(const ApiReply& reply, const std::string& path);
[[nodiscard]] int number(const ApiReply& reply, const std::string& path);
[[nodiscard]] std::string text(const ApiReply& reply, const std::string& path);
[[nodiscard]] std::set<std::string> keysOf(const ApiReply& reply, const std::string& path);
[[nodiscard]] std::vector<std::string> list(const ApiReply& reply, const std::string& path);
[[nodiscard]] std::string warning(const ApiReply& reply); ///< the first; empty: none

void PrintTo(const ApiReply& reply, std::ostream* out); // found by GoogleTest

/// A status, and the whole text of the only error.
MATCHER_P2(Refused, status, error, "")
{
	return arg.status == status && list(arg, "errors") == std::vector<std::string>{error};
}

MATCHER_P2(RefusedWith, status, part, "")
{
	const auto errors = list(arg, "errors");
	return arg.status == status && errors.size() == 1 && errors.front().find(part) != std::string::npos;
}

MATCHER_P(Granted, seconds, "")
{
	return arg.status == 200 && number(arg, "auth.lease_duration") == seconds;
}

MATCHER_P(HasStatus, status, "")
{
	return arg.status == status;
}

/// The server does not accept the token.
inline auto tokenRefusedReply()
{
	return Refused(403, "permission denied");
}

/// The token lives, its policies do not allow this.
inline auto policyRefusedReply()
{
	return Refused(403, "1 error occurred:\n\t* permission denied\n\n");
}

inline auto pastMaxTtlReply()
{
	return Refused(500, "1 error occurred:\n\t* past the max TTL, cannot renew\n\n");
}

} // namespace issuer::test
