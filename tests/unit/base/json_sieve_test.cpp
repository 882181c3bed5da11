#include "base/json_sieve.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

namespace issuer::vault {
namespace {

constexpr JsonKey ofData[] = {{"ttl"}, {"renewable", false}};
constexpr JsonKey ofReply[] = {{"errors"}, {"error"}, {"wrap_info", false}, {"data", false, ofData}};

/// Returns the kept part of `text` that comes in pieces of `size` bytes.
std::string sieved(std::string text, std::size_t size)
{
	JsonSieve sieve(ofReply);
	for (std::size_t at = 0; at < text.size(); at += size) {
		sieve.add(text.data(), std::string_view(text).substr(at, size));
		EXPECT_LE(sieve.kept(), std::min(at + size, text.size()));
	}
	sieve.end();
	return text.substr(0, sieve.kept());
}

/// The same, having seen that pieces do not matter, nor a second time.
std::string sieved(const std::string& text)
{
	const auto whole = sieved(text, text.size() + 1);
	for (const std::size_t size : {1U, 2U, 3U, 7U, 64U}) {
		EXPECT_EQ(sieved(text, size), whole) << "in pieces of " << size << ": " << text;
	}
	EXPECT_EQ(sieved(whole, 1000), whole);
	return whole;
}

TEST(JsonSieve, KeepsWhatIsReadWithoutBlanks)
{
	EXPECT_EQ(sieved(R"( { "errors" : [ "one" , "t wo", 3, null ] , "data":{"ttl":"60" , "renewable": true}} )"),
		R"({"errors":["one","t wo",3,null],"data":{"ttl":"60","renewable":true}})");
	EXPECT_EQ(sieved("{}"), "{}");
	EXPECT_EQ(sieved(R"({"errors": []})"), R"({"errors":[]})");
}

TEST(JsonSieve, RemovesAMemberThatIsNotReadWithItsComma)
{
	EXPECT_EQ(sieved(R"({"x": 1, "error": 2})"), R"({"error":2})");
	EXPECT_EQ(sieved(R"({"error": 2, "x": "\\"})"), R"({"error":2})");
	EXPECT_EQ(sieved(R"({"error": 2 , "x" : null , "y": true })"), R"({"error":2})");
	EXPECT_EQ(sieved(R"({"x": false, "y": "s.T,", "z": 1e3})"), "{}");
	EXPECT_EQ(sieved(R"({"error": 1, "x": 2, "errors": [], "y": {"error": 3}, "data": {"z": 1, "ttl": 5, "y": 2}})"),
		R"({"error":1,"errors":[],"data":{"ttl":5}})");
}

TEST(JsonSieve, ReadsAMemberWhereItBelongsAndNowhereElse)
{
	EXPECT_EQ(sieved(R"({"ttl": 1, "x": {"error": 1}, "data": {"error": 1, "data": {"ttl": 2}}})"), R"({"data":{}})");
	EXPECT_EQ(sieved(R"({"\u0065rror": "s.T", "errors\"": "s.T"})"), "{}");
}

TEST(JsonSieve, RemovesTheInsideOfWhatHasNoMembersThatAreRead)
{
	EXPECT_EQ(sieved(R"({"wrap_info": {"token": "s.T", "x": [{}]}, "error": {"ttl": "s.T"}})"),
		R"({"wrap_info":{},"error":{}})");
	EXPECT_EQ(sieved(R"({"errors": [{"text": "s.T]}"}, ["s.T"], "kept"]})"), R"({"errors":[{},[],"kept"]})");
	EXPECT_EQ(sieved(R"({"data": {"ttl": {"ttl": "s.T"}, "renewable": [true, "s.T"]}})"),
		R"({"data":{"ttl":{},"renewable":[true,""]}})");
}

TEST(JsonSieve, RemovesTextWhereNoneIsRead)
{
	EXPECT_EQ(sieved(R"({"wrap_info": "s.T", "data": "s.T\"", "error": "kept\""})"),
		R"({"wrap_info":"","data":"","error":"kept\""})");
}

TEST(JsonSieve, AnOutermostNullIsAsGoodAsNone)
{
	EXPECT_EQ(sieved(R"({"data": null, "error": null, "wrap_info": null})"), "{}");
	EXPECT_EQ(sieved(R"({"data": {"ttl": null}})"), R"({"data":{"ttl":null}})");
}

TEST(JsonSieve, TakesStringsWithAnyNumberOfBackslashes)
{
	for (std::size_t count = 0; count < 12; ++count) {
		const std::string text = std::string(count, '\\') + (count % 2 == 1 ? "\"" : "");
		EXPECT_EQ(sieved(R"({"x": ")" + text + R"(", "error": ")" + text + R"("})"), R"({"error":")" + text + R"("})");
	}
}

TEST(JsonSieve, AKeyOfAnyLengthIsNotRead)
{
	EXPECT_EQ(sieved(R"({")" + std::string(100'000, 'e') + R"(": "s.T", "error": 1})"), R"({"error":1})");
}

TEST(JsonSieve, LeavesNothingOfTextThatIsNoWholeObject)
{
	for (const char* text : {"", " ", "{", R"({"error")", R"({"error":)", R"({"error": "s.T)", R"({"error": 1)",
			 R"({"error": 1,})", R"({"error": 1,,"errors": 2})", R"({,"error": 1})", R"({"error": 1]})",
			 R"({"errors": [1}})", R"({"errors": [1,]})", R"({"error" 1})", R"({"error": 1 "errors": 2})",
			 R"({"error": 1 2})", R"({"error": "a""b"})", R"({"error": a"b"})", R"({"error": ,})", R"({"error": })",
			 R"({"error": 1}x)", R"({"error": 1}{})", R"({error: 1})",
			 R"({"data": {"ttl": 1}})"
			 "}",
			 R"({"x": {"y": [}, "data": null})"}) {
		EXPECT_EQ(sieved(text), "") << text;
	}
	EXPECT_EQ(sieved(std::string("{}\0", 3)), "");
}

TEST(JsonSieve, OfAPageTheBeginningIsKept)
{
	EXPECT_EQ(sieved(" \r\n<html>No {\"error\": 1}</html>"), "<html>No {\"error\": 1}</html>");
	EXPECT_EQ(sieved(R"(["s.T", {"error": 1}])"), R"(["s.T", {"error": 1}])");
	EXPECT_EQ(sieved(std::string(5'000, 'p')), std::string(JsonSieve::longestPage, 'p'));
}

TEST(JsonSieve, TellsAnObjectFromAPage)
{
	for (const auto& [text, isObject] : {std::pair("{}", true), {"{", false}, {"page", false}, {"", false}}) {
		std::string copy(text);
		JsonSieve sieve(ofReply);
		sieve.add(copy.data(), copy);
		sieve.end();
		EXPECT_EQ(sieve.isObject(), isObject) << text;
	}
}

TEST(JsonSieve, UnreadMembersAreNotParsed)
{
	const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
	EXPECT_EQ(
		sieved(R"({"x": )" + deep + R"(, "errors": )" + deep + R"(, "error": 1})"), R"({"errors":[[]],"error":1})");
}

} // namespace
} // namespace issuer::vault
