#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace issuer::test {

/// A directory of one test's own, removed with everything in it when the object goes.
class TempDir
{
public:
	TempDir() : _path(make()) {}
	~TempDir()
	{
		std::error_code ignored; // the test has ended: an error is ignored
		std::filesystem::remove_all(_path, ignored);
	}
	TempDir(const TempDir&) = delete;
	TempDir& operator=(const TempDir&) = delete;

	[[nodiscard]] const std::filesystem::path& path() const { return _path; }

	/// Writes `text` to a file of that name in the directory and returns its path.
	std::filesystem::path write(std::string_view name, std::string_view text) const
	{
		const auto file = _path / name;
		std::ofstream out(file, std::ios::binary | std::ios::trunc);
		out << text;
		out.close();
		if (!out) {
			throw std::runtime_error("cannot write " + file.string());
		}
		return file;
	}

private:
	static std::filesystem::path make()
	{
		std::string name = (std::filesystem::temp_directory_path() / "issuer-test-XXXXXX").string();
		if (::mkdtemp(name.data()) == nullptr) {
			throw std::runtime_error("cannot make a temporary directory like " + name);
		}
		return name;
	}

	std::filesystem::path _path;
};

} // namespace issuer::test
