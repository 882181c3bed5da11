#include "new_plugin/project.h"

#include <array>
#include <cctype>
#include <fstream>
#include <set>
#include <utility>

namespace issuer::new_plugin {

namespace {

namespace fs = std::filesystem;

/// Words that a C++ namespace cannot be called. The others of the language are no likely names.
const std::set<std::string_view> reserved{"auto", "class", "default", "delete", "export", "int", "issuer", "main",
	"new", "operator", "private", "public", "register", "static", "std", "test", "this", "union", "using", "virtual"};

bool isLower(char c)
{
	return c >= 'a' && c <= 'z';
}

bool isDigit(char c)
{
	return c >= '0' && c <= '9';
}

Result<void> writeFile(const fs::path& path, const std::string& text)
{
	std::ofstream file(path, std::ios::binary);
	file << text;
	if (!file.flush()) {
		return failure(path.string() + " cannot be written; is there room, and may you write there?");
	}
	return {};
}

} // namespace

Result<Names> namesOf(std::string_view name)
{
	constexpr std::size_t longest = 40;
	Names names;
	bool begins = true; // a word
	bool fits = !name.empty() && name.size() <= longest && isLower(name.front());
	for (const char c : name) {
		const bool joins = c == '-' || c == '_';
		fits = fits && (joins ? !begins : isLower(c) || isDigit(c));
		names.kebab += joins ? '-' : c;
		names.snake += joins ? '_' : c;
		if (!joins) {
			names.pascal += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
		}
		begins = joins;
	}
	if (!fits || begins || reserved.contains(name)) {
		return failure(
			"\"" + std::string(name) +
			"\" is no name for a plugin; wanted are lower-case words and digits joined by -, as in my-token, "
			"at most 40 characters and no word of C++");
	}
	return names;
}

std::string named(std::string_view text, const Names& names)
{
	const std::array<std::pair<std::string_view, std::string_view>, 3> forms{
		{{"new-plugin", names.kebab}, {"new_plugin", names.snake}, {"NewPlugin", names.pascal}}};
	std::string result;
	while (!text.empty()) {
		const auto* form = forms.begin();
		while (form != forms.end() && !text.starts_with(form->first)) {
			++form;
		}
		result += form != forms.end() ? form->second : text.substr(0, 1);
		text.remove_prefix(form != forms.end() ? form->first.size() : 1);
	}
	return result;
}

Result<void> writeProject(const Names& names, const std::filesystem::path& folder)
{
	std::error_code error;
	fs::create_directories(folder, error);
	if (error) {
		return failure(folder.string() + " cannot be created: " + error.message());
	}
	if (!fs::is_empty(folder, error) || error) {
		return failure(folder.string() + " is not an empty folder; name another one");
	}
	Result<void> written;
	for (const Template& file : templates()) {
		written = std::move(written).and_then(
			[&] { return writeFile(folder / named(file.path, names), named(file.text, names)); });
	}
	return written;
}

} // namespace issuer::new_plugin
