#include "transport/file_stamp.h"

#include "temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace issuer::vault::transport {
namespace {

using testing::ElementsAre;

TEST(CertificateFiles, AreKnownByTheirNames)
{
	const test::TempDir directory;
	for (const char* name : {"vault.pem", "vault.crt", "vault.cer", "5ed36f99.0", "5ed36f99.r12", "README", "vault.key",
			 ".hidden.pem", "5ed36f99", "5ed36f99.", "5ed36f99.r", "5ed36f9g.0", "ca.pem.old"}) {
		directory.write(name, "");
	}
	const auto in = [&](const char* name) { return (directory.path() / name).string(); };
	EXPECT_THAT(certificateFilesIn("CA directory", directory.path()).value(),
		ElementsAre(in("5ed36f99.0"), in("5ed36f99.r12"), in("vault.cer"), in("vault.crt"), in("vault.pem")));
}

TEST(ReadFile, ReadsToTheEndWhateverTheStatedSizeIs)
{
	const test::TempDir directory;
	const std::string text(100'000, 'x');
	EXPECT_EQ(readFile("CA file", directory.write("long", text)).value().size(), text.size());
	EXPECT_EQ(readFile("CA file", directory.write("empty", "")).value().size(), 0u);
	EXPECT_GT(readFile("CA file", "/proc/self/status").value().size(), 0u) << "which says that it is empty";
}

TEST(ReadFile, TellsWhyNot)
{
	EXPECT_EQ(readFile("CA file", "/nowhere").error().text, "CA file /nowhere: No such file or directory");
	EXPECT_EQ(readFile("CA file", "/dev/zero").error().text, "CA file /dev/zero is larger than 32 MiB");
	EXPECT_EQ(readFile("CA file", "/").error().text, "CA file / is a directory");
	EXPECT_FALSE(readFile("CA file", "/nowhere").error().outOfDescriptors);
}

TEST(ReadFile, TellsThatTheProcessHasNoDescriptorLeft)
{
	const test::TempDir directory;
	const auto file = directory.write("ca.pem", "text");
	rlimit before{};
	::getrlimit(RLIMIT_NOFILE, &before);
	const rlimit none{0, before.rlim_max};
	::setrlimit(RLIMIT_NOFILE, &none);
	const auto text = readFile("CA file", file);
	const auto files = certificateFilesIn("CA directory", directory.path());
	::setrlimit(RLIMIT_NOFILE, &before);
	EXPECT_TRUE(!text && text.error().outOfDescriptors);
	EXPECT_TRUE(!files && files.error().outOfDescriptors);
}

} // namespace
} // namespace issuer::vault::transport
