#include "transport/reply_parser.h"

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace issuer::vault::transport {
namespace {

using testing::HasSubstr;
using State = ReplyParser::State;

State feed(ReplyParser& parser, std::string_view bytes, std::size_t step)
{
	auto state = State::needMore;
	while (!bytes.empty() && state == State::needMore) {
		const auto room = parser.room();
		const auto count = std::min({step, bytes.size(), room.size()});
		std::memcpy(room.data(), bytes.data(), count);
		bytes.remove_prefix(count);
		state = parser.feed(count);
	}
	return state;
}

/// Fed byte by byte and at once: both must come to the same end.
State parse(ReplyParser& parser, std::string_view bytes)
{
	ReplyParser slow;
	const auto slowState = feed(slow, bytes, 1);
	const auto state = feed(parser, bytes, bytes.size());
	EXPECT_EQ(slowState, state);
	EXPECT_EQ(slow.complaint(), parser.complaint());
	if (slowState == State::complete && state == State::complete) {
		EXPECT_EQ(slow.take().body, ReplyParser(parser).take().body);
	}
	return state;
}

std::string body(ReplyParser& parser)
{
	return std::string(parser.take().body);
}

TEST(ReplyParser, ReadsAReplyWithALength)
{
	ReplyParser parser;
	ASSERT_EQ(parse(parser, "HTTP/1.1 429 Too Many\r\nContent-Type: application/json\r\nretry-after:  18 \r\n"
							"LOCATION: http://x/\r\nContent-Length: 5\r\n\r\nhello"),
		State::complete);
	EXPECT_TRUE(parser.keepsConnection());
	const auto reply = parser.take();
	EXPECT_EQ(reply.status, 429);
	EXPECT_EQ(reply.retryAfter, "18");
	EXPECT_EQ(reply.location, "http://x/");
	EXPECT_EQ(reply.body, "hello");
}

TEST(ReplyParser, AReplyIsCompleteWithItsLastByteAndNotBefore)
{
	const std::string reply = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	for (std::size_t size = 0; size < reply.size(); ++size) {
		ReplyParser parser;
		EXPECT_EQ(feed(parser, reply.substr(0, size), 1), State::needMore);
		EXPECT_EQ(parser.end(), State::malformed) << size;
	}
}

TEST(ReplyParser, ReadsChunksWithExtensionsAndTrailers)
{
	ReplyParser parser;
	ASSERT_EQ(parse(parser, "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
							"3;a=b\r\nabc\r\nA\r\n0123456789\r\n000\r\nTrailer: x\r\n\r\n"),
		State::complete);
	EXPECT_TRUE(parser.keepsConnection());
	EXPECT_EQ(body(parser), "abc0123456789");
}

TEST(ReplyParser, ReadsUntilTheEndWhereNoLengthIsGiven)
{
	ReplyParser parser;
	ASSERT_EQ(parse(parser, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request"), State::needMore);
	ASSERT_EQ(parser.end(), State::complete);
	EXPECT_FALSE(parser.keepsConnection());
	EXPECT_EQ(body(parser), "Client sent an HTTP request");
}

TEST(ReplyParser, SkipsInterimReplies)
{
	ReplyParser parser;
	ASSERT_EQ(parse(parser, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLocation: /x\r\n\r\n"
							"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
		State::complete);
	const auto reply = parser.take();
	EXPECT_EQ(reply.status, 200);
	EXPECT_EQ(reply.location, "");
}

TEST(ReplyParser, NoContentHasNoBody)
{
	ReplyParser parser;
	ASSERT_EQ(parse(parser, "HTTP/1.1 204 No Content\r\n\r\n"), State::complete);
	EXPECT_TRUE(parser.keepsConnection());
}

TEST(ReplyParser, AnAgreementToConnectHasNoBodyWhateverItsHeadersSay)
{
	ReplyParser parser(ReplyParser::To::connect);
	EXPECT_EQ(feed(parser, "HTTP/1.1 200 Connected\r\nContent-Length: 5\r\n\r\n", 1), State::complete);
}

TEST(ReplyParser, ClosesAfterBytesThatBelongToNoReply)
{
	ReplyParser parser;
	ASSERT_EQ(feed(parser, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", 1000), State::complete);
	EXPECT_FALSE(parser.keepsConnection());
	EXPECT_EQ(body(parser), "ok");
}

TEST(ReplyParser, ClosesWhenTheServerSaysSoOrSpeaksHttp10)
{
	ReplyParser asked;
	ASSERT_EQ(parse(asked, "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 0\r\n\r\n"), State::complete);
	EXPECT_FALSE(asked.keepsConnection());
	ReplyParser old;
	ASSERT_EQ(parse(old, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), State::complete);
	EXPECT_FALSE(old.keepsConnection());
}

TEST(ReplyParser, ChunksCountWhereALengthIsAnnouncedToo)
{
	for (const std::string announced :
		{"Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5",
			"Transfer-Encoding: chunked\r\nTransfer-Encoding: Chunked", "Transfer-Encoding: chunked, chunked"}) {
		ReplyParser parser;
		ASSERT_EQ(parse(parser, "HTTP/1.1 200 OK\r\n" + announced + "\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), State::complete);
		EXPECT_FALSE(parser.keepsConnection()) << announced;
		EXPECT_EQ(body(parser), "abc");
	}
}

TEST(ReplyParser, NamesTheCodingOfABodyAndDropsIt)
{
	ReplyParser parser;
	ASSERT_EQ(
		parse(parser, "HTTP/1.1 503 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"), State::complete);
	EXPECT_TRUE(parser.keepsConnection());
	const auto reply = parser.take();
	EXPECT_EQ(reply.coding, "gzip");
	EXPECT_EQ(reply.body, "");
	ReplyParser plain;
	ASSERT_EQ(
		parse(plain, "HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\nContent-Length: 2\r\n\r\nok"), State::complete);
	const auto whole = plain.take();
	EXPECT_EQ(whole.coding, "");
	EXPECT_EQ(whole.body, "ok");
}

TEST(ReplyParser, TakesABodyOf64KiBWithoutKnowingWhatIsReadAndNotAByteMore)
{
	const std::string full(ReplyParser::largestKept, 'x');
	ReplyParser fits;
	ASSERT_EQ(feed(fits, "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + full, 3000), State::complete);
	EXPECT_EQ(body(fits), full);
	ReplyParser flows;
	EXPECT_EQ(feed(flows, "HTTP/1.1 200 OK\r\n\r\n" + full, 3000), State::needMore);
	EXPECT_EQ(feed(flows, "x", 1), State::malformed);
	EXPECT_THAT(flows.complaint(), HasSubstr("64 KiB"));
	ReplyParser chunks;
	EXPECT_EQ(
		feed(chunks, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" + full + "\r\n1\r\nx", 3000),
		State::malformed);
}

constexpr JsonKey ofAuth[] = {{"lease_duration"}};
constexpr JsonKey ofReply[] = {{"errors"}, {"auth", false, ofAuth}};

/// A renewal's reply of `size` bytes.
std::string longReply(std::size_t size)
{
	const std::string begin = R"({"auth": {"policies": [")";
	const std::string end = R"("], "lease_duration": 60}})";
	return begin + std::string(size - begin.size() - end.size(), 'p') + end;
}

std::string inChunks(std::string_view text, std::size_t size)
{
	std::ostringstream chunks;
	for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) {
		const auto chunk = text.substr(0, size);
		chunks << std::hex << chunk.size() << "\r\n" << chunk << "\r\n";
	}
	return chunks.str() + "0\r\n\r\n";
}

TEST(ReplyParser, OfALongBodyOnlyWhatIsReadIsStored)
{
	const auto body = longReply(ReplyParser::largestBody);
	const std::string replies[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + inChunks(body, 3001),
	};
	for (const auto& bytes : replies) {
		ReplyParser parser(ReplyParser::To::request, {}, ofReply);
		std::size_t most = 0;
		auto state = State::needMore;
		for (std::string_view rest = bytes; state == State::needMore;) {
			const auto room = parser.room();
			most = std::max(most, room.size());
			const auto count = std::min(rest.size(), room.size());
			std::memcpy(room.data(), rest.data(), count);
			rest.remove_prefix(count);
			state = parser.feed(count);
		}
		ASSERT_EQ(state, State::complete) << parser.complaint();
		EXPECT_LE(most, 8U * 1024);
		EXPECT_EQ(parser.take().body, R"({"auth":{"lease_duration":60}})");
	}
}

TEST(ReplyParser, TakesABodyOf4MiBAndNotAByteMore)
{
	const auto tooLong = longReply(ReplyParser::largestBody + 1);
	const std::string replies[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(tooLong.size()) + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n" + tooLong,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + inChunks(tooLong, 300'000),
	};
	for (const auto& bytes : replies) {
		ReplyParser parser(ReplyParser::To::request, {}, ofReply);
		EXPECT_EQ(feed(parser, bytes, bytes.size()), State::malformed);
		EXPECT_THAT(parser.complaint(), HasSubstr("4 MiB"));
	}
}

TEST(ReplyParser, OfWhatIsReadItStores64KiBAtMost)
{
	const auto body = R"({"errors": [")" + std::string(70'000, 'e') + R"("]})";
	ReplyParser parser(ReplyParser::To::request, {}, ofReply);
	EXPECT_EQ(feed(parser, "HTTP/1.1 200 OK\r\n\r\n" + body, 3000), State::malformed);
	EXPECT_THAT(parser.complaint(), HasSubstr("64 KiB"));
}

TEST(ReplyParser, LeavesNoLargeRoomToAnIdleConnection)
{
	ReplyParser ordinary;
	ASSERT_EQ(feed(ordinary, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1000), State::complete);
	EXPECT_GT(ordinary.takeBuffer().size(), 0U);
	ReplyParser large;
	ASSERT_EQ(feed(large, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + std::string(60'000, 'x'), 1000),
		State::complete);
	EXPECT_EQ(large.takeBuffer().size(), 0U);
}

TEST(ReplyParser, TakesAHundredHeadersAndNotOneMore)
{
	std::string head = "HTTP/1.1 204 OK\r\n";
	for (int i = 0; i < 100; ++i) {
		head += "a: b\r\n";
	}
	ReplyParser fits;
	EXPECT_EQ(parse(fits, head + "\r\n"), State::complete);
	ReplyParser tooMany;
	EXPECT_EQ(parse(tooMany, head + "a: b\r\n\r\n"), State::malformed);
	EXPECT_THAT(tooMany.complaint(), HasSubstr("100 headers"));
}

TEST(ReplyParser, GivesUpOnAnEndlessHead)
{
	ReplyParser parser;
	EXPECT_EQ(feed(parser, "HTTP/1.1 200 OK\r\na: " + std::string(20000, 'x'), 1000), State::malformed);
	EXPECT_THAT(parser.complaint(), HasSubstr("16 KiB"));
}

TEST(ReplyParser, GivesUpOnChunksThatAreAllFraming)
{
	std::string reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	for (int i = 0; i < 200; ++i) {
		reply += "1;" + std::string(200, 'x') + "\r\na\r\n";
	}
	ReplyParser parser;
	EXPECT_EQ(parse(parser, reply), State::malformed);
	EXPECT_THAT(parser.complaint(), HasSubstr("framing"));
}

TEST(ReplyParser, TakesAChunkLineOf256CharactersHoweverItComesAndNotOneMore)
{
	const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	ReplyParser fits;
	EXPECT_EQ(parse(fits, head + "1;" + std::string(254, 'x') + "\r\na\r\n0\r\n\r\n"), State::complete);
	ReplyParser tooLong;
	EXPECT_EQ(parse(tooLong, head + "1;" + std::string(255, 'x') + "\r\na\r\n0\r\n\r\n"), State::malformed);
	EXPECT_THAT(tooLong.complaint(), HasSubstr("256 characters"));
}

TEST(ReplyParser, KnowsWhetherAnyByteCame)
{
	ReplyParser parser;
	EXPECT_TRUE(parser.untouched());
	ASSERT_EQ(feed(parser, "H", 1), State::needMore);
	EXPECT_FALSE(parser.untouched());
}

struct Bad
{
	const char* bytes;
	const char* why;
};

class ReplyParserRefuses : public testing::TestWithParam<Bad>
{
};

TEST_P(ReplyParserRefuses, BytesThatCouldBeReadInTwoWays)
{
	ReplyParser parser;
	EXPECT_EQ(parse(parser, GetParam().bytes), State::malformed);
	EXPECT_THAT(parser.complaint(), HasSubstr(GetParam().why));
}

#define OK "HTTP/1.1 200 OK\r\n"
INSTANTIATE_TEST_SUITE_P(Table, ReplyParserRefuses,
	testing::Values(Bad{"SSH-2.0-OpenSSH\r\n", "not HTTP"}, Bad{"\x15\x03\x01", "not HTTP"},
		Bad{"HTTP/2 200\r\n\r\n", "not HTTP"}, Bad{"HTTP/1.2 200 OK\r\n\r\n", "not HTTP"},
		Bad{"HTTP/1.1 20 OK\r\n\r\n", "not HTTP"}, Bad{"HTTP/1.1 099 OK\r\n\r\n", "not HTTP"},
		Bad{"HTTP/1.1 600 OK\r\n\r\n", "not HTTP"}, Bad{"HTTP/1.1 2000 OK\r\n\r\n", "not HTTP"},
		Bad{"HTTP/1.1\t200 OK\r\n\r\n", "not HTTP"}, Bad{"HTTP/1.1 101 Switching\r\n\r\n", "another protocol"},
		Bad{OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "unclear"},
		Bad{OK "Content-Length: +1\r\n\r\n", "unclear"}, Bad{OK "Content-Length: 0x1\r\n\r\n", "unclear"},
		Bad{OK "Content-Length: 99999999999999999999\r\n\r\n", "unclear"}, Bad{OK "Content-Length:\r\n\r\n", "unclear"},
		Bad{OK "Transfer-Encoding: gzip, chunked\r\n\r\n", "other than chunked"},
		Bad{OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n", "other than chunked"},
		Bad{OK " folded\r\n\r\n", "no header"}, Bad{OK "a b: c\r\n\r\n", "no header"},
		Bad{OK "nocolon\r\n\r\n", "no header"}, Bad{OK ": x\r\n\r\n", "no header"},
		Bad{OK "a: b\nc: d\r\n\r\n", "control character"}, Bad{OK "a: b\rc\r\n\r\n", "control character"},
		Bad{OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "no size"},
		Bad{OK "Transfer-Encoding: chunked\r\n\r\n\r\n", "no size"},
		Bad{OK "Transfer-Encoding: chunked\r\n\r\n-1\r\n", "no size"},
		Bad{OK "Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n", "4 MiB"},
		Bad{OK "Transfer-Encoding: chunked\r\n\r\n1\r\nabc", "longer than it says"}));

} // namespace
} // namespace issuer::vault::transport
