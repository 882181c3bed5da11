#pragma once

#include <Poco/JSON/Object.h>
#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

/// Values of a configuration that has been parsed. Each function throws Wrong where the value is not as it should be.
/// `path` leads to the object that is asked: "http.tls"; empty: it is the configuration itself.
namespace issuer::commands {

/// An error in a configuration, thrown inside of its decoder; parseConfig() turns it into a value.
struct Wrong
{
	std::string path; ///< of the value, whose line and column are told too
	std::string text; ///< a sentence that begins with the path
};

[[nodiscard]] Wrong wrongAt(const std::string& path, const std::string& text);

/// Returns the path of a member.
[[nodiscard]] std::string member(const std::string& path, const std::string& key);

/// Returns the object that `value` is. Where `faults` is given, an unknown key is one of them, and no more.
[[nodiscard]] Poco::JSON::Object::Ptr objectAt(const Poco::Dynamic::Var& value, const std::string& path,
	std::initializer_list<std::string_view> keys, std::vector<Wrong>* faults = nullptr);

/// Return the member `key`, which must not be empty.
[[nodiscard]] std::string stringAt(const Poco::JSON::Object& object, const std::string& path, const std::string& key);
[[nodiscard]] std::filesystem::path pathAt(const Poco::JSON::Object& object, const std::string& path,
	const std::string& key, const std::filesystem::path& folder);

/// Returns the member `key`, false where it is missing.
[[nodiscard]] bool flagAt(const Poco::JSON::Object& object, const std::string& path, const std::string& key);

/// Return the member `key`.
[[nodiscard]] unsigned numberAt(
	const Poco::JSON::Object& object, const std::string& path, const std::string& key, unsigned least, unsigned most);
[[nodiscard]] std::chrono::milliseconds durationAt(
	const Poco::JSON::Object& object, const std::string& path, const std::string& key);

/// Reads one part. An error in it becomes a fault, and the rest is read.
template <class Read>
void readPart(std::vector<Wrong>& faults, const Read& read)
{
	try {
		read();
	}
	catch (const Wrong& wrong) {
		faults.push_back(wrong);
	}
}

} // namespace issuer::commands
