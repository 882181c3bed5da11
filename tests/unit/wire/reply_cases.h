#pragma once

#include "told.h"
#include "wire/wire.h"

#include <gtest/gtest.h>
#include <span>
#include <string>
#include <string_view>

namespace issuer::vault::wire {

constexpr auto lookUp = renewal::Operation::lookUp;
constexpr auto renew = renewal::Operation::renew;

inline HttpReply replyOf(int status, std::string_view body)
{
	HttpReply reply;
	reply.status = status;
	reply.body = body;
	return reply;
}

/// Returns the meaning of a reply as one line.
inline std::string answer(renewal::Operation operation, int status, std::string_view body)
{
	auto reply = replyOf(status, body);
	return told(classify(operation, reply, "s.TOKEN"));
}

/// A reply, and its meaning as one line.
struct Case
{
	renewal::Operation operation;
	int status;
	std::string_view body;
	std::string_view expected;
};

inline void expectEach(std::span<const Case> cases)
{
	for (const auto& row : cases) {
		EXPECT_EQ(answer(row.operation, row.status, row.body), row.expected)
			<< "HTTP " << row.status << ": " << row.body.substr(0, 200);
	}
}

constexpr std::string_view html = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head></html>";

} // namespace issuer::vault::wire
