#include "observe/web/listen.h"

#include <gmock/gmock.h>

namespace issuer::observe::web {
namespace {

using testing::HasSubstr;

std::string read(std::string_view text)
{
	const auto address = parseListenAddress(text);
	return address ? address->text() : "refused: " + address.error().text;
}

TEST(ListenAddress, IsReadAsPeopleWriteIt)
{
	EXPECT_EQ(read("127.0.0.1:9464"), "127.0.0.1:9464");
	EXPECT_EQ(read("localhost:0"), "127.0.0.1:0");
	EXPECT_EQ(read("9464"), "127.0.0.1:9464");
	EXPECT_EQ(read(":9464"), "0.0.0.0:9464");
	EXPECT_EQ(read("[::1]:80"), "[::1]:80");
	EXPECT_EQ(read("[::]:80"), "[::]:80");
}

TEST(ListenAddress, IsRefusedWithWhatIsWanted)
{
	for (const char* text : {"", "nowhere", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x"}) {
		EXPECT_THAT(read(text), HasSubstr("such as 127.0.0.1:9464 is wanted")) << text;
	}
	EXPECT_THAT(read("vault.example:80"), HasSubstr("\"vault.example\" is not an IP address"));
	EXPECT_THAT(read("\033[2J:80"), testing::Not(HasSubstr("\033")));
}

TEST(Listening, IsAllowedOnThisMachineAlone)
{
	for (const char* text : {"127.0.0.1:0", "127.1.2.3:0", "[::1]:0"}) {
		EXPECT_TRUE(mayListen({*parseListenAddress(text), {}, false})) << text;
	}
}

TEST(Listening, BeyondThisMachineTakesTlsOrTheOperatorsWord)
{
	for (const char* text : {":0", "0.0.0.0:0", "192.0.2.1:0", "[::]:0", "[::ffff:192.0.2.1]:0"}) {
		const ListenAddress address = *parseListenAddress(text);
		const auto refused = mayListen({address, {}, false});
		ASSERT_FALSE(refused) << text;
		EXPECT_THAT(refused.error().text, HasSubstr("\"plain_public\": true"));
		EXPECT_TRUE(mayListen({address, TlsFiles{}, false}));
		EXPECT_TRUE(mayListen({address, {}, true}));
	}
}

} // namespace
} // namespace issuer::observe::web
