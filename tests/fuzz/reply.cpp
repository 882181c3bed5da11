// Any bytes as a reply, in pieces as the network makes them: the first byte of the input is the size of the pieces.
// Once with the whole body kept, and once with only the members that are read.
#include "base/sanitize.h"
#include "require.h"
#include "transport/reply_parser.h"

#include <algorithm>
#include <cstring>

using namespace issuer::vault;
using issuer::fuzz::require;
using State = transport::ReplyParser::State;

namespace {

/// The visible state of a parser that has been fed.
struct Parsed
{
	State state = State::needMore;
	std::string complaint;
	HttpReply reply;
	bool keepsConnection = false;
};

constexpr JsonKey ofAuth[] = {{"lease_duration"}};
constexpr JsonKey ofError[] = {{"message"}};
constexpr JsonKey ofReply[] = {
	{"errors"}, {"error", true, ofError}, {"warnings"}, {"wrap_info", false}, {"auth", false, ofAuth}};
using Reads = std::span<const JsonKey>;

Parsed parse(std::string_view bytes, std::size_t piece, Reads reads)
{
	transport::ReplyParser parser(transport::ReplyParser::To::request, {}, reads);
	Parsed outcome;
	while (!bytes.empty() && outcome.state == State::needMore) {
		const auto room = parser.room();
		require(!room.empty(), "there is room for more");
		const auto count = std::min({piece, bytes.size(), room.size()});
		std::memcpy(room.data(), bytes.data(), count);
		bytes.remove_prefix(count);
		outcome.state = parser.feed(count);
	}
	if (outcome.state == State::needMore) {
		outcome.state = parser.end();
		require(outcome.state != State::needMore, "the end is the end");
	}
	outcome.complaint = parser.complaint();
	if (outcome.state == State::complete) {
		// Bytes behind a reply in the same piece spoil the connection; in a later piece they have not been seen.
		outcome.keepsConnection = parser.keepsConnection() && bytes.empty();
		outcome.reply = parser.take();
	}
	return outcome;
}

void judge(const Parsed& outcome)
{
	const auto& complaint = outcome.complaint;
	require((outcome.state == State::malformed) == !complaint.empty(), "what is malformed has a complaint");
	require(sanitize(complaint, complaint.size()) == complaint, "a complaint is one line that is safe to show");
	require(complaint.size() < 120, "a complaint is short");
	if (outcome.state != State::complete) {
		return;
	}
	const auto& reply = outcome.reply;
	require(reply.status >= 200 && reply.status <= 599, "a reply has a final status");
	require(reply.body.size() <= transport::ReplyParser::largestKept, "a body is bounded");
	require(reply.coding.empty() || reply.body.empty(), "a coded body is dropped");
	require(reply.status != 204 || reply.body.empty(), "no content is none");
	for (const std::string_view header : {std::string_view(reply.retryAfter), std::string_view(reply.location)}) {
		require(header.find_first_of(std::string_view("\0\r\n", 3)) == header.npos, "a header is one line");
		require(header.size() <= transport::ReplyParser::largestHead, "a header is bounded");
	}
}

void judgeInPieces(std::string_view bytes, std::size_t piece, Reads reads)
{
	const auto whole = parse(bytes, bytes.size(), reads);
	const auto pieces = parse(bytes, piece, reads);
	judge(whole);
	judge(pieces);
	require(whole.state == pieces.state, "pieces do not matter");
	require(whole.complaint == pieces.complaint, "pieces do not matter to the complaint");
	require(whole.reply.status == pieces.reply.status, "pieces do not matter to the status");
	require(whole.reply.retryAfter == pieces.reply.retryAfter, "pieces do not matter to Retry-After");
	require(whole.reply.location == pieces.reply.location, "pieces do not matter to the target");
	require(whole.reply.coding == pieces.reply.coding, "pieces do not matter to the coding");
	require(whole.reply.body == pieces.reply.body, "pieces do not matter to the body");
	require(whole.keepsConnection == pieces.keepsConnection, "pieces do not matter to the connection");
}

/// A sieve that has done its work finds no more.
void judgeTwice(std::string_view bytes)
{
	auto text = std::string(bytes);
	const auto sieve = [&text] {
		JsonSieve once(ofReply);
		once.add(text.data(), text);
		once.end();
		text.resize(once.kept());
		return once.isObject();
	};
	const bool isObject = sieve();
	require(text.size() <= bytes.size(), "what is removed makes it shorter");
	require(isObject || text.size() <= JsonSieve::longestPage, "of a page the beginning is kept");
	const auto kept = text;
	require(sieve() == isObject && text == kept, "a second time changes nothing");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
	if (size == 0) {
		return 0;
	}
	const auto bytes = issuer::fuzz::textOf(data + 1, size - 1);
	const auto piece = std::size_t{1} + data[0];
	judgeInPieces(bytes, piece, {});
	judgeInPieces(bytes, piece, ofReply);
	judgeTwice(bytes.substr(std::min(bytes.find("\r\n\r\n"), bytes.size())));
	return 0;
}
