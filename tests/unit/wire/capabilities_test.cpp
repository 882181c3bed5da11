#include "wire/wire.h"

#include <gtest/gtest.h>

namespace issuer::vault::wire {
namespace {

HttpReply saying(const std::string& body, int status = 200)
{
	HttpReply reply;
	reply.status = status;
	reply.body = body;
	return reply;
}

std::string listing(const std::string& capabilities)
{
	return R"({"data": {"auth/token/renew-self": )" + capabilities + "}}";
}

TEST(Capabilities, OfUpdateOrOfRootLetATokenRenewItself)
{
	EXPECT_EQ(mayRenew(saying(listing(R"(["update"])"))), true);
	EXPECT_EQ(mayRenew(saying(listing(R"(["read", "update"])"))), true);
	EXPECT_EQ(mayRenew(saying(listing(R"(["root"])"))), true);
	EXPECT_EQ(mayRenew(saying(R"({"auth/token/renew-self": ["update"]})")), true) << "as older servers say it";
}

TEST(Capabilities, OfAnythingElseDoNot)
{
	for (const auto* others : {R"(["deny"])", R"(["read", "list", "create", "sudo"])", "[]"}) {
		EXPECT_EQ(mayRenew(saying(listing(others))), false) << others;
	}
}

TEST(Capabilities, AreNotKnownFromWhatIsNoAnswer)
{
	EXPECT_EQ(mayRenew(saying(listing(R"(["update"])"), 403)), std::nullopt);
	for (const auto* body : {"", "<html>", "[]", "{}", R"({"data": {"other": ["update"]}})"}) {
		EXPECT_EQ(mayRenew(saying(body)), std::nullopt) << body;
	}
}

} // namespace
} // namespace issuer::vault::wire
