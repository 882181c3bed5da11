#include "credential/source.h"

#include "reader_fixture.h"
#include "temp_dir.h"

#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>

namespace issuer::vault::credential {
namespace {

using namespace std::chrono_literals;
using Kind = Source::Update::Kind;
using issuer::test::TempDir;
using testing::HasSubstr;

class SourceTest : public testing::Test
{
protected:
	/// Returns the next update, within half a minute.
	Source::Update after(Source& source)
	{
		time.pass(30s);
		return source.update();
	}

	const TempDir dir;
	test::Time time;
	test::Hands hands;
	test::Hears listener;
	Reader reader{hands.helper(), time, time, test::withoutHints()};
};

TEST_F(SourceTest, TheFirstTokenIsTheCurrentOneAndTheNextACandidate)
{
	Source source({Origin::Kind::file, dir.write("token", "s.ONE").string(), {}});
	EXPECT_TRUE(source.current().empty());
	source.open(reader, listener);
	EXPECT_EQ(source.update().kind, Kind::first);
	EXPECT_EQ(source.current().view(), "s.ONE");
	EXPECT_EQ(after(source).kind, Kind::none);
	dir.write("token", "s.TWO");
	EXPECT_EQ(after(source).kind, Kind::candidate);
	EXPECT_EQ(source.current().view(), "s.ONE") << "until it was accepted";
	EXPECT_EQ(source.candidate().view(), "s.TWO");
	source.adopt();
	EXPECT_EQ(source.current().view(), "s.TWO");
	EXPECT_TRUE(source.candidate().empty());
	source.close();
}

TEST_F(SourceTest, ACandidateGoesWhenTheFileHoldsTheTokenInUseAgain)
{
	Source source({Origin::Kind::file, dir.write("token", "s.ONE").string(), {}});
	source.open(reader, listener);
	static_cast<void>(source.update());
	dir.write("token", "s.HALF");
	EXPECT_EQ(after(source).kind, Kind::candidate);
	dir.write("token", "s.ONE");
	EXPECT_EQ(after(source).kind, Kind::gone);
	EXPECT_TRUE(source.candidate().empty());
	source.close();
}

TEST_F(SourceTest, TextThatIsVisiblyNoTokenIsTroubleAndNoCandidate)
{
	Source source({Origin::Kind::file, dir.write("token", "s.ONE").string(), {}});
	source.open(reader, listener);
	static_cast<void>(source.update());
	for (const std::string text : {"null", R"({"auth":{"client_token":"s.CANARY"}})", "VAULT_TOKEN=s.CANARY",
			 "\"s.CANARY\"", "\xEF\xBB\xBFs.CANARY", ""}) {
		dir.write("token", text);
		const auto update = after(source);
		EXPECT_EQ(update.kind, Kind::trouble) << text;
		EXPECT_THAT(update.trouble, testing::StartsWith("token file " + dir.path().string() + "/token "));
		EXPECT_THAT(update.trouble, Not(HasSubstr("CANARY")));
		EXPECT_EQ(source.current().view(), "s.ONE");
		EXPECT_TRUE(source.candidate().empty());
	}
	dir.write("token", "s.ONE");
	EXPECT_TRUE(after(source).recovered);
	source.close();
}

TEST_F(SourceTest, ATokenThatIsLookedAtIsKeptUntilTheLookEnds)
{
	Source source({Origin::Kind::file, dir.write("token", "s.ONE").string(), {}});
	source.open(reader, listener);
	static_cast<void>(source.update());
	const auto shown = source.current();
	dir.write("token", "s.TWO");
	static_cast<void>(after(source));
	source.adopt();
	EXPECT_EQ(shown.view(), "s.ONE");
	source.close();
}

TEST_F(SourceTest, OpenedAgainTheFirstTokenCountsWhateverWasInUse)
{
	Source source({Origin::Kind::file, dir.write("token", "s.ONE").string(), {}});
	source.open(reader, listener);
	static_cast<void>(source.update());
	source.close();
	dir.write("token", "s.TWO");
	EXPECT_EQ(source.current().view(), "s.ONE");
	source.open(reader, listener);
	EXPECT_FALSE(source.isRead() && source.current().view() == "s.ONE");
	EXPECT_EQ(source.update().kind, Kind::first);
	EXPECT_EQ(source.current().view(), "s.TWO");
	source.close();
}

TEST_F(SourceTest, TheEnvironmentIsReadWhenItIsOpenedAndNeverAfter)
{
	const char* const name = "ISSUER_TEST_TOKEN";
	Source source({Origin::Kind::environment, name, {}});
	::unsetenv(name);
	source.open(reader, listener);
	EXPECT_EQ(source.update().trouble, "environment variable ISSUER_TEST_TOKEN is not set");
	source.close();
	::setenv(name, "s.ONE", 1);
	source.open(reader, listener);
	EXPECT_EQ(source.update().kind, Kind::first);
	::setenv(name, "s.TWO", 1);
	source.lookNow();
	EXPECT_EQ(after(source).kind, Kind::none);
	source.close();
	source.open(reader, listener);
	EXPECT_EQ(source.update().kind, Kind::first);
	EXPECT_EQ(source.current().view(), "s.TWO");
	source.close();
	::unsetenv(name);
}

TEST_F(SourceTest, AValueIsTheTokenOnceAndForAllAndHeldOnce)
{
	Origin origin{Origin::Kind::value, "", Secret(" s.TOKEN\n")};
	const char* const first = origin.value.view().data();
	Source source(std::move(origin));
	for (int round = 0; round < 2; ++round) {
		source.open(reader, listener);
		EXPECT_EQ(source.update().kind, Kind::first);
		EXPECT_EQ(source.current().view(), "s.TOKEN");
		EXPECT_EQ(std::string(first, 9), std::string(9, '\0')); // the pages stay: the token lives in them
		EXPECT_EQ(source.readNow(reader, {}).value().view(), "s.TOKEN");
		source.close();
	}
}

TEST_F(SourceTest, ABadValueIsTroubleInTheSameWordsEachTime)
{
	Source source({Origin::Kind::value, "", Secret("CANARY CANARY")});
	for (int round = 0; round < 2; ++round) {
		source.open(reader, listener);
		EXPECT_EQ(source.update().trouble,
			"token.value of the configuration is not one token: character 7 of 13 is a blank or line end");
		source.close();
	}
}

} // namespace
} // namespace issuer::vault::credential
