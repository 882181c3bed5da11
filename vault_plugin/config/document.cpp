#include "config/document.h"

#include "base/json_strings.h"
#include "base/sanitize.h"
#include "base/wiped.h"
#include "config/keys.h"

#include <algorithm>
#include <utility>

#include <Poco/JSON/Handler.h>
#include <Poco/JSON/JSONException.h>
#include <Poco/JSON/Parser.h>
#include <Poco/MemoryStream.h>

namespace issuer::vault::config {
namespace {

/// Returns whether the parser may see the string at `key`. At the key of an object a string may be a misplaced secret.
bool mayBeRead(std::string_view key)
{
	return key != secretKey &&
		   std::ranges::any_of(keyPaths, [&](auto path) { return lastPart(path) == key && !isObject(path); });
}

/// Builds the document as Poco's parser walks it. Poco's own tree would silently keep the last of equal keys.
class Builder final : public Poco::JSON::Handler
{
public:
	/// `secrets`: the strings at the secret key, as they are written, in the order of the text.
	Builder(Value& root, const std::vector<std::string_view>& secrets) : _root(root), _secrets(secrets) {}

	void reset() override {}
	void startObject() override { _open.push_back(&add({Members()})); }
	void endObject() override { _open.pop_back(); }
	void startArray() override { _open.push_back(&add({Array()})); }
	void endArray() override { _open.pop_back(); }
	void key(const std::string& key) override { _key = key; }
	void null() override { add({nullptr}); }
	void value(int number) override { add({static_cast<double>(number)}); }
	void value(unsigned number) override { add({static_cast<double>(number)}); }
	void value(Poco::Int64 number) override { add({static_cast<double>(number)}); }
	void value(Poco::UInt64 number) override { add({static_cast<double>(number)}); }
	void value(double number) override { add({number}); }
	void value(bool truth) override { add({truth}); }
	void value(const std::string& text) override
	{
		auto& added = add({text});
		if (_key == secretKey && _nextSecret < _secrets.size()) {
			added.secret = _secrets[_nextSecret++];
		}
	}

private:
	Value& add(Value value)
	{
		if (_open.empty()) {
			return _root = std::move(value);
		}
		auto& parent = _open.back()->of; // growing may move elder siblings; none of those is open now
		if (auto* const array = std::get_if<Array>(&parent)) {
			return array->emplace_back(std::move(value));
		}
		return std::get<Members>(parent).emplace_back(Member{_key, std::move(value)}).value;
	}

	Value& _root;
	std::vector<Value*> _open; ///< the objects and arrays around the current position
	std::string _key;
	const std::vector<std::string_view>& _secrets;
	std::size_t _nextSecret = 0;
};

/// Returns the line at which the parser stopped, in words.
std::string lineOf(std::istream& stream, std::string_view text)
{
	stream.clear();
	const auto read = std::min(static_cast<std::size_t>(stream.tellg()), text.size());
	return std::to_string(1 + std::ranges::count(text.substr(0, read), '\n'));
}

/// Parses `text`, from which the secrets have been removed.
Result<Value> parse(std::string_view text, const std::vector<std::string_view>& secrets)
{
	// From a stream: given a string, the parser would make a copy.
	Poco::MemoryInputStream stream(text.data(), static_cast<std::streamsize>(text.size()));
	try {
		Value root;
		Poco::JSON::Parser parser(new Builder(root, secrets));
		parser.setDepth(Document::deepest);
		parser.parse(stream);
		return root;
	}
	catch (const Poco::JSON::JSONException& error) { // its text names what was expected, and repeats one byte at most
		return failure("the configuration is not JSON that we take: line " + lineOf(stream, text) + ": " +
					   sanitize(error.message(), 80));
	}
	catch (const Poco::Exception&) { // its text repeats the number
		return failure("the configuration is not JSON that we take: line " + lineOf(stream, text) +
					   ": a number is out of any range");
	}
}

} // namespace

const char* kindOf(const Value& value)
{
	constexpr const char* kinds[] = {"null", "a boolean", "a number", "a string", "an array", "an object"};
	return kinds[value.of.index()];
}

Result<Document> readDocument(std::string_view json)
{
	if (json.size() > Document::largest) {
		return failure("the configuration is longer than 128 KiB");
	}
	Document document;
	std::vector<std::string_view> secrets;
	WipedString text(json);
	JsonStrings strings(json);
	bool readable = false;
	bool secret = false;
	bool proxy = false;
	while (const auto string = strings.next()) {
		const auto content = json.substr(string->begin, string->size);
		if (!string->key) {
			if (secret) {
				secrets.push_back(content);
			}
			const bool password = proxy && content.find('@') != content.npos;
			document.proxy = password ? content : document.proxy;
			if (!readable || password) {
				std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(string->begin), string->size, 'x');
			}
			continue;
		}
		if (content.find('\\') != content.npos) {
			return failure("the configuration holds a key that is written with a backslash; no key of it needs one");
		}
		readable = mayBeRead(content);
		secret = content == secretKey;
		proxy = content == proxyKey;
	}

	return parse(text, secrets).map([&](Value root) {
		document.root = std::move(root);
		return std::move(document);
	});
}

} // namespace issuer::vault::config
