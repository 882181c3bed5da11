#pragma once

#include "fake_vault/message.h"

#include <filesystem>
#include <string>
#include <vector>

#include <Poco/Dynamic/Var.h>

namespace issuer::test {

/// One step of a token on its way to a max TTL.
struct Step
{
	double seconds; ///< since the token was made
	std::string call;
	Json::Ptr expected; ///< "status", and the significant part of the reply
};

/// A recorded exchange with a real server.
struct Capture
{
	std::string name; ///< "renew-self/batch"
	std::string about;
	ApiRequest request;
	ApiReply reply;             ///< the body as text, also when it is JSON
	std::vector<Step> timeline; ///< for a recording of many exchanges; request and reply are empty then
};

[[nodiscard]] std::filesystem::path captureDirectory();

/// Throws when the file is missing or no capture.
[[nodiscard]] Capture loadCapture(const std::string& name);

/// The names of all that there are, sorted.
[[nodiscard]] std::vector<std::string> captureNames();

[[nodiscard]] std::string asJson(const Poco::Dynamic::Var& value);

/// Returns how `actual` differs from the recording: one line each, with the path of the key; empty: it does not. Values
/// that differ in every run (identifiers, times) only have to be of the same kind.
[[nodiscard]] std::string differences(const ApiReply& recorded, const ApiReply& actual);

} // namespace issuer::test
