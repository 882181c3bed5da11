#include "child_process.h"
#include "temp_dir.h"

#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include <Poco/Net/ServerSocket.h>

/// The program fake-vault, run as its users do.
namespace issuer::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

struct Ended
{
	int code;
	std::string said;
};

class FakeVaultProgram : public testing::Test
{
protected:
	Ended run(const std::vector<std::string>& arguments) const
	{
		const auto output = directory.path() / "output";
		ChildProcess program(FAKE_VAULT, arguments, {.outputFile = output});
		const int code = program.wait();
		std::ifstream file(output);
		return {code, std::string(std::istreambuf_iterator<char>(file), {})};
	}

	TempDir directory;
};

TEST_F(FakeVaultProgram, SaysWhereItServesAndEndsWhenTold)
{
	ChildProcess program(FAKE_VAULT, {});
	EXPECT_THAT(program.readLine().value_or(""),
		MatchesRegex("fake-vault: serving http://127\\.0\\.0\\.1:[0-9]+ with root token s\\..+"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(FakeVaultProgram, ServesTlsWithCertificatesOfItsOwnMaking)
{
	const auto folder = directory.path() / "tls";
	ChildProcess program(FAKE_VAULT, {"--tls-dir", folder.string(), "--root-token", "root"});
	EXPECT_THAT(program.readLine().value_or(""),
		MatchesRegex("fake-vault: serving https://127\\.0\\.0\\.1:[0-9]+ with root token root"));
	EXPECT_TRUE(std::filesystem::exists(folder / "ca.pem"));
	EXPECT_TRUE(std::filesystem::exists(folder / "client.key"));
}

TEST_F(FakeVaultProgram, Teaches)
{
	const auto [code, said] = run({"--help"});
	EXPECT_EQ(code, 0);
	EXPECT_THAT(said, testing::AllOf(HasSubstr("--listen ADDRESS:PORT"), HasSubstr("/fake/outage")));
}

TEST_F(FakeVaultProgram, NamesTheOptionThatItDoesNotUnderstand)
{
	const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
		{{"--lisen", "x"}, "unknown option --lisen"}, {{"--listen"}, "--listen wants a value"},
		{{"--listen", "8200"}, "--listen 8200 is not like 127.0.0.1:8200"},
		{{"--listen", "127.0.0.1:99999"}, "is not like"}, {{"--max-ttl", "soon"}, "--max-ttl soon is not a duration"},
		{{"--client-certificate"}, "--client-certificate wants --tls-dir"}};
	for (const auto& [arguments, complaint] : wrong) {
		std::filesystem::remove(directory.path() / "output");
		const auto [code, said] = run(arguments);
		EXPECT_EQ(code, 64);
		EXPECT_THAT(said, HasSubstr(complaint));
	}
}

TEST_F(FakeVaultProgram, SaysThatAPortIsTaken)
{
	const Poco::Net::ServerSocket other(Poco::Net::SocketAddress("127.0.0.1", 0));
	const auto [code, said] = run({"--listen", other.address().toString()});
	EXPECT_EQ(code, 69);
	EXPECT_THAT(said, HasSubstr("cannot listen at " + other.address().toString()));
}

} // namespace
} // namespace issuer::test
