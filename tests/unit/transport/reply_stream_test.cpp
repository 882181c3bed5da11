#include "transport/reply_parser.h"

#include <algorithm>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>

/// ReplyParser: a body that is read while it comes.
namespace issuer::vault::transport {
namespace {

using testing::HasSubstr;
using State = ReplyParser::State;

/// Stores all that comes, and refuses the piece with which it would be longer than `most`.
class Collector final : public BodyReader
{
public:
	Result<void> take(std::string_view piece) override
	{
		EXPECT_FALSE(piece.empty());
		if (body.size() + piece.size() > most) {
			return failure("enough");
		}
		body += piece;
		return {};
	}

	std::string body;
	std::size_t most = std::string::npos;
};

class ReplyStream : public testing::Test
{
protected:
	State feed(std::string_view bytes, std::size_t step = std::string_view::npos)
	{
		auto state = State::needMore;
		while (!bytes.empty() && state == State::needMore) {
			const auto room = _parser.room();
			const auto count = std::min({step, bytes.size(), room.size()});
			std::memcpy(room.data(), bytes.data(), count);
			bytes.remove_prefix(count);
			state = _parser.feed(count);
		}
		return state;
	}

	Collector _reader;
	ReplyParser _parser{ReplyParser::To::request, {}, {}, &_reader};
};

constexpr std::string_view chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST_F(ReplyStream, GivesEachPieceWithTheByteThatCompletesIt)
{
	ASSERT_EQ(feed(chunkedHead), State::needMore);
	ASSERT_EQ(feed("5\r\nfirst\r\n"), State::needMore);
	EXPECT_EQ(_reader.body, "first");
	ASSERT_EQ(feed("6\r\nsec"), State::needMore);
	EXPECT_EQ(_reader.body, "firstsec"); // also while the chunk lasts
	ASSERT_EQ(feed("ond\r\n0\r\n\r\n"), State::complete);
	EXPECT_EQ(_reader.body, "firstsecond");
	EXPECT_TRUE(_parser.keepsConnection());
	EXPECT_EQ(_parser.take().body, "");
}

TEST_F(ReplyStream, IsTheSameByteByByte)
{
	std::string reply(chunkedHead);
	reply += "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n";
	ASSERT_EQ(feed(reply, 1), State::complete);
	EXPECT_EQ(_reader.body, "abcdefg");
}

TEST_F(ReplyStream, MayBeLongerThanAnyReplyThatIsKept)
{
	ASSERT_EQ(feed(chunkedHead), State::needMore);
	const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
	std::size_t sent = 0;
	while (sent <= 2 * ReplyParser::largestBody) {
		ASSERT_EQ(feed(chunk), State::needMore);
		sent += 0x10000;
	}
	EXPECT_EQ(_reader.body.size(), sent);
}

TEST_F(ReplyStream, MayComeInAnyNumberOfSmallChunks)
{
	ASSERT_EQ(feed(chunkedHead), State::needMore);
	for (int chunk = 0; chunk < 20'000; ++chunk) { // 60 KB of chunk lines for 20 KB of content
		ASSERT_EQ(feed("1\r\nx\r\n"), State::needMore) << _parser.complaint();
	}
	EXPECT_EQ(_reader.body.size(), 20'000U);
}

TEST_F(ReplyStream, NeedsRoomForItsPiecesOnly)
{
	ASSERT_EQ(feed(chunkedHead), State::needMore);
	for (int chunk = 0; chunk < 100; ++chunk) {
		ASSERT_EQ(feed("1000\r\n" + std::string(0x1000, 'x') + "\r\n"), State::needMore);
	}
	EXPECT_LE(_parser.room().size(), 16U * 1024);
}

TEST_F(ReplyStream, EndsWithItsLengthOrWithTheConnection)
{
	ASSERT_EQ(feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), State::complete);
	EXPECT_EQ(_reader.body, "hello");

	Collector another;
	ReplyParser untilClose(ReplyParser::To::request, {}, {}, &another);
	constexpr std::string_view bytes = "HTTP/1.1 200 OK\r\n\r\nhello";
	std::ranges::copy(bytes, untilClose.room().begin());
	ASSERT_EQ(untilClose.feed(bytes.size()), State::needMore);
	EXPECT_EQ(another.body, "hello");
	EXPECT_EQ(untilClose.end(), State::complete);
}

TEST_F(ReplyStream, CutInTheMiddleIsMalformed)
{
	ASSERT_EQ(feed(chunkedHead), State::needMore);
	ASSERT_EQ(feed("5\r\nfirst\r\n"), State::needMore);
	EXPECT_EQ(_parser.end(), State::malformed);
}

TEST_F(ReplyStream, ARefusalOfTheReaderEndsItInTheReadersWords)
{
	_reader.most = 3;
	ASSERT_EQ(feed(chunkedHead), State::needMore);
	EXPECT_EQ(feed("4\r\nabcd\r\n"), State::malformed);
	EXPECT_EQ(_parser.complaint(), "enough");
}

TEST_F(ReplyStream, AnErrorReplyIsKeptAsEver)
{
	ASSERT_EQ(feed("HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\nsorry"), State::complete);
	EXPECT_EQ(_reader.body, "");
	EXPECT_EQ(_parser.take().body, "sorry");
}

TEST_F(ReplyStream, AnErrorReplyHasItsLimitsAsEver)
{
	EXPECT_EQ(feed("HTTP/1.1 503 No\r\nContent-Length: 9000000\r\n\r\n"), State::malformed);
	EXPECT_THAT(_parser.complaint(), HasSubstr("4 MiB"));
}

TEST_F(ReplyStream, OfACodedBodyNothingIsGiven)
{
	ASSERT_EQ(
		feed("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b..."), State::complete);
	EXPECT_EQ(_reader.body, "");
	EXPECT_EQ(_parser.take().coding, "gzip");
}

} // namespace
} // namespace issuer::vault::transport
