// No copy of a secret in a reply is left in memory that is given back: each block is searched when it is freed, the C
// library's own included, by replacing free() and realloc().
#include "transport/reply_parser.h"
#include "wire/logins.h"
#include "wire/reply_keys.h"
#include "wire/wire.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <malloc.h>
#include <span>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_HEAP 0
#else
#define OWN_HEAP 1
#endif

namespace {

constexpr std::string_view canary = "s.CANARYdoNotLogMe0123456789";
constexpr std::string_view needle = "CANARYdoNot";
bool searching = false;
int found = 0;

/// The test wipes its own memory, or the next user of the block would be blamed.
[[maybe_unused]] void search(void* block) // only where the heap is this test's own
{
	if (block == nullptr) {
		return;
	}
	const auto size = ::malloc_usable_size(block);
	const bool holds = std::string_view(static_cast<const char*>(block), size).find(needle) != std::string_view::npos;
	found += searching && holds ? 1 : 0;
	if (holds) {
		std::memset(block, 0, size);
	}
}

} // namespace

#if OWN_HEAP
extern "C" void __libc_free(void* block);

extern "C" void free(void* block)
{
	search(block);
	__libc_free(block);
}

extern "C" void* realloc(void* block, std::size_t size)
{
	void* const moved = std::malloc(size);
	if (moved != nullptr && block != nullptr) {
		std::memcpy(moved, block, std::min(size, ::malloc_usable_size(block)));
		std::free(block);
	}
	return moved;
}
#endif

namespace issuer::vault::wire {
namespace {

using renewal::Operation;
using State = transport::ReplyParser::State;

/// With the canary where an @ stands.
std::string withCanary(std::string text)
{
	for (auto at = text.find('@'); at != text.npos; at = text.find('@')) {
		text.replace(at, 1, canary);
	}
	return text;
}

/// Blocks with the canary that reading the reply gives back.
int leftBy(const std::string& bytes, std::size_t piece, std::span<const JsonKey> keys,
	const std::function<void(HttpReply&)>& read)
{
	found = 0;
	searching = true;
	{
		transport::ReplyParser parser(transport::ReplyParser::To::request, {}, keys);
		auto state = State::needMore;
		for (std::string_view rest = bytes; state == State::needMore && !rest.empty();) {
			const auto room = parser.room();
			const auto count = std::min({rest.size(), room.size(), piece});
			std::memcpy(room.data(), rest.data(), count);
			rest.remove_prefix(count);
			state = parser.feed(count);
		}
		if (state == State::needMore) {
			state = parser.end();
		}
		if (state == State::complete) {
			auto reply = parser.take();
			read(reply);
		}
		const auto buffer = parser.takeBuffer();
	}
	searching = false;
	return found;
}

TEST(FreedMemory, HoldsNothingOfTheTokenThatAReplyRepeats)
{
	if (OWN_HEAP == 0) {
		GTEST_SKIP() << "needs the C library's own heap";
	}
	const std::string bodies[] = {
		"<html><body>Bad gateway: <pre>X-Vault-Token: @</pre></body></html>",
		"X-Vault-Token: @",
		std::string(1'000, 'x') + "@",
		std::string(5'000, 'x') + "@",
		R"({"errors": ["token @ is not known", "\u0073.CANARYdoNotLogMe0123456789", "@@"]})",
		R"({"message": "no @ here", "error": {"message": "@"}})",
		R"({"auth": {"client_token": "@", "accessor": "@", "lease_duration": 60}, "warnings": ["@"]})",
		R"({"data": {"id": "@", "ttl": "@", "type": "@", "expire_time": "@"}})",
		R"({"errors": ["@)",
		R"({"errors": ["@\q"]})",
		R"({"@": "@", "errors": ["x"]})",
	};
	for (const auto& body : bodies) {
		for (const auto* status : {"200", "307", "403", "502"}) {
			const auto bytes =
				withCanary("HTTP/1.1 " + std::string(status) + " X\r\nLocation: https://x/@\r\n\r\n" + body);
			for (const std::size_t piece : {1U, 100U, 100'000U}) {
				const auto read = [](HttpReply& reply) {
					static_cast<void>(classify(Operation::renew, reply, canary));
				};
				EXPECT_EQ(leftBy(bytes, piece, replyKeys(), read), 0)
					<< status << " " << body.substr(0, 100) << " in pieces of " << piece;
			}
		}
	}
}

TEST(FreedMemory, HoldsNothingOfALoginNorOfItsTokenAndSecretId)
{
	if (OWN_HEAP == 0) {
		GTEST_SKIP() << "needs the C library's own heap";
	}
	const std::string bodies[] = {
		R"({"auth": {"client_token": "@", "accessor": "@", "lease_duration": 60, "policies": ["p"]}, "warnings": ["@"]})",
		R"({"data": {"secret_id": "@", "secret_id_accessor": "@", "secret_id_num_uses": 3}, "warnings": null})",
		R"({"errors": ["invalid role or secret ID: @", "\u0073.CANARYdoNotLogMe0123456789"]})",
		R"({"message": "no @ here", "error": {"message": "@"}})",
		"<html><body>Bad gateway: <pre>@</pre></body></html>",
		R"({"auth": {"client_token": "@)",
	};
	const LoginPlace place{renewal::LoginMethod::appRole, "auth/approle", ""};
	const auto logInAndRead = [&](HttpReply& reply) {
		const auto request = logIn(place, {canary, canary});
		const auto answer = classify(request, reply);
	};
	const auto unwrapAndRead = [&](HttpReply& reply) {
		const auto answer = classify(unwrap(renewal::LoginMethod::appRole, canary, ""), reply);
	};
	for (const auto& body : bodies) {
		for (const auto* status : {"200", "307", "400", "403", "502"}) {
			const auto bytes =
				withCanary("HTTP/1.1 " + std::string(status) + " X\r\nLocation: https://x/@\r\n\r\n" + body);
			for (const std::size_t piece : {1U, 100U, 100'000U}) {
				EXPECT_EQ(leftBy(bytes, piece, loginKeys(), logInAndRead), 0) << status << " " << body;
				EXPECT_EQ(leftBy(bytes, piece, loginKeys(), unwrapAndRead), 0) << status << " " << body;
			}
		}
	}
}

TEST(FreedMemory, IsSearched)
{
	if (OWN_HEAP == 0) {
		GTEST_SKIP() << "needs the C library's own heap";
	}
	found = 0;
	searching = true;
	{
		const std::string copy(canary);
		void* const block = std::malloc(canary.size());
		std::memcpy(block, copy.data(), canary.size());
		std::free(std::realloc(block, 1'000));
	}
	searching = false;
	EXPECT_EQ(found, 3);
}

} // namespace
} // namespace issuer::vault::wire
