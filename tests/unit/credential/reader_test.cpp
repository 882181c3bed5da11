#include "credential/reader.h"

#include "hanging_files.h"
#include "reader_fixture.h"
#include "temp_dir.h"

#include <deque>
#include <filesystem>
#include <gmock/gmock.h>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>

namespace issuer::vault::credential {
namespace {

using namespace std::chrono_literals;
using issuer::test::TempDir;
using testing::HasSubstr;

class ReaderTest : public testing::Test
{
protected:
	Reader::File open(const std::filesystem::path& path)
	{
		return reader.open(_paths.emplace_back(path.string()), listener);
	}

	std::string tokenOf(Reader::File& file)
	{
		const auto news = file.take();
		return !news ? "(none)" : news->trouble.empty() ? std::string(news->token.view()) : "(" + news->trouble + ")";
	}

	const TempDir dir;
	test::Time time;
	test::Hands hands;
	test::Hears listener;
	Reader reader{hands.helper(), time, time, test::withoutHints()};

private:
	std::deque<std::string> _paths;
};

TEST_F(ReaderTest, AFileIsReadAtOnceAndToldOnce)
{
	auto file = open(dir.write("token", "s.ONE"));
	EXPECT_EQ(listener.told, 1);
	EXPECT_EQ(tokenOf(file), "s.ONE");
	time.pass(10min);
	EXPECT_EQ(listener.told, 1);
	EXPECT_EQ(tokenOf(file), "(none)");
}

TEST_F(ReaderTest, AChangeIsNoticedWithin30SecondsWithoutAnyHint)
{
	auto file = open(dir.write("token", "s.0"));
	for (int i = 1; i < 20; ++i) {
		time.pass(std::chrono::milliseconds(1377) * i);
		static_cast<void>(file.take());
		dir.write("token", "s." + std::to_string(i));
		time.pass(30s);
		EXPECT_EQ(tokenOf(file), "s." + std::to_string(i));
	}
}

TEST_F(ReaderTest, OfAFileInTroubleItIsNoticedWithin2Seconds)
{
	auto file = open(dir.path() / "token");
	EXPECT_THAT(tokenOf(file), HasSubstr("No such file"));
	time.pass(10min);
	EXPECT_EQ(tokenOf(file), "(none)") << "told once";
	dir.write("token", "s.ONE");
	time.pass(2s);
	EXPECT_EQ(tokenOf(file), "s.ONE");
}

TEST_F(ReaderTest, WhileItsOwnerIsInTroubleItIsNoticedWithin2SecondsHoweverLongThatLasts)
{
	auto file = open(dir.write("token", "s.ONE"));
	static_cast<void>(file.take());
	file.setUrgent(true);
	time.pass(2h);
	dir.write("token", "s.TWO");
	time.pass(2s);
	EXPECT_EQ(tokenOf(file), "s.TWO");
}

TEST_F(ReaderTest, AnOwnerInTroubleDoesNotPutOffTheFirstLook)
{
	hands.refuses = true;
	auto file = open(dir.write("token", "s.ONE"));
	file.setUrgent(true);
	hands.refuses = false;
	time.pass(1s); // when a thread is asked for again
	EXPECT_EQ(tokenOf(file), "s.ONE");
}

TEST_F(ReaderTest, AFileThatHangsIsToldOnceWithHowLongAndReadWhenItAnswers)
{
	hands.hang = true;
	auto file = open(dir.write("token", "s.ONE"));
	time.pass(1s);
	EXPECT_EQ(listener.told, 0);
	time.pass(5s);
	const auto news = file.take();
	ASSERT_TRUE(news);
	EXPECT_THAT(news->trouble, HasSubstr("has not answered for 2s"));
	EXPECT_TRUE(news->hanging);
	time.pass(10min);
	EXPECT_EQ(listener.told, 1);
	hands.letGo();
	time.pass(2s);
	EXPECT_EQ(tokenOf(file), "s.ONE");
}

TEST_F(ReaderTest, WithoutAThreadItIsToldAndReadWhenOneCanBeHad)
{
	hands.refuses = true;
	auto file = open(dir.write("token", "s.ONE"));
	time.pass(5s);
	EXPECT_THAT(tokenOf(file), HasSubstr("no thread"));
	hands.refuses = false;
	time.pass(2s);
	EXPECT_EQ(tokenOf(file), "s.ONE");
}

TEST_F(ReaderTest, AfterItIsClosedNothingIsTold)
{
	auto file = open(dir.write("token", "s.ONE"));
	file = {};
	dir.write("token", "s.TWO");
	time.pass(1min);
	EXPECT_EQ(listener.told, 1);
}

TEST_F(ReaderTest, AFileMayBeClosedAndTheReaderGoWhileItHangs)
{
	hands.hang = true;
	const auto path = dir.write("token", "s.ONE").string();
	{
		Reader other(hands.helper(), time, time, test::withoutHints());
		auto file = other.open(path, listener);
		time.pass(10s);
		listener.told = 0;
	}
	hands.letGo();
	EXPECT_EQ(listener.told, 0);
}

TEST_F(ReaderTest, ThousandsOfFilesAreLookedAtInFewRounds)
{
	std::vector<Reader::File> files;
	for (int i = 0; i < 3000; ++i) {
		files.push_back(open(dir.write("token" + std::to_string(i), "s.ONE")));
	}
	EXPECT_EQ(listener.told, 3000);
	hands.taken = 0;
	time.pass(60s);
	EXPECT_LE(hands.taken, 61) << "they are looked at together, at most once a second";
	EXPECT_GE(hands.taken, 10) << "but not all in the same second";
}

TEST_F(ReaderTest, ReadOnceGivesUpAtTheDeadline)
{
	const auto path = dir.write("token", "s.ONE").string();
	EXPECT_EQ(reader.readOnce(path, std::chrono::steady_clock::now() + 1h).value().view(), "s.ONE");
	hands.hang = true;
	EXPECT_THAT(reader.readOnce(path, std::chrono::steady_clock::now() + 1ms).error().text,
		HasSubstr("/token has not answered for "));
}

/// On threads of its own, since some hang.
class HangingReaderTest : public ReaderTest
{
protected:
	HangingReaderTest()
	{
		std::filesystem::create_directories(dir.path() / "dead");
		deadPath = dir.write("dead/token", "s.DEAD").string();
		wellPath = dir.write("token", "s.WELL").string();
	}
	~HangingReaderTest() override
	{
		for (auto& thread : threads) {
			thread.join();
		}
	}

	/// Time passes until there is news that is `wanted`.
	bool comes(Reader::File& file, const std::string& wanted)
	{
		for (int i = 0; i < 20000; ++i) {
			time.pass(100ms);
			constexpr int spins = 1000; // then a busy machine's threads are given some time
			static_cast<void>(counts.come.try_acquire_for(i < spins ? 0ms : 5ms));
			const auto news = file.take();
			if (news && (news->trouble + std::string(news->token.view())).find(wanted) != std::string::npos) {
				return true;
			}
		}
		return false;
	}

	/// Waits for news while no time passes. Returns whether it is `wanted`.
	bool comesNow(Reader::File& file, const std::string& wanted)
	{
		const auto news = counts.wait(file);
		return news && (news->trouble + std::string(news->token.view())).find(wanted) != std::string::npos;
	}

	std::string deadPath; ///< below a folder of its own, which a test lets hang
	std::string wellPath;
	std::vector<std::thread> threads;
	struct Counts final : NewsListener
	{
		void newsRead() noexcept override { come.release(); }
		std::optional<News> wait(Reader::File& file)
		{
			for (auto news = file.take();; news = file.take()) {
				if (news || !come.try_acquire_for(30s)) {
					return news;
				}
			}
		}
		std::counting_semaphore<> come{0};
	} counts;
	Reader reader{[this](auto work) {
					  threads.emplace_back(std::move(work));
					  return true;
				  },
		time, time, test::withoutHints()};
};

TEST_F(HangingReaderTest, AFileThatHangsHoldsUpNoOther)
{
	Reader::File dead;
	Reader::File well;
	{
		const issuer::test::HangingFiles hanging(dir.path() / "dead");
		dead = reader.open(deadPath, counts);
		hanging.await(1);
		well = reader.open(wellPath, counts);
		EXPECT_TRUE(comes(well, "s.WELL"));
		EXPECT_TRUE(comes(dead, "has not answered for"));
		dir.write("token", "s.WELL.2");
		EXPECT_TRUE(comes(well, "s.WELL.2"));
	}
	EXPECT_TRUE(comes(dead, "s.DEAD"));
}

TEST_F(HangingReaderTest, AFileThatIsDueBeforeTheOneThatHangsIsStuckIsReadThen)
{
	Reader::File dead;
	Reader::File well;
	const issuer::test::HangingFiles hanging(dir.path() / "dead");
	dead = reader.open(deadPath, counts);
	hanging.await(1);
	well = reader.open(wellPath, counts);
	time.pass(Reader::Options().stuckAfter);
	EXPECT_TRUE(comesNow(well, "s.WELL"));
}

TEST_F(HangingReaderTest, AFileThatIsClosedWhileItHangsHoldsUpNoOther)
{
	const issuer::test::HangingFiles hanging(dir.path() / "dead");
	{
		const auto dead = reader.open(deadPath, counts);
		hanging.await(1);
	}
	auto well = reader.open(wellPath, counts);
	time.pass(Reader::Options().stuckAfter);
	EXPECT_TRUE(comesNow(well, "s.WELL"));
}

TEST_F(HangingReaderTest, HundredsOfFilesOfADeadFileSystemHoldUpFewThreadsAndNoOtherFile)
{
	std::deque<std::string> paths;
	std::vector<Reader::File> files;
	Reader::File well;
	{
		const issuer::test::HangingFiles hanging(dir.path() / "dead");
		for (int i = 0; i < 300; ++i) {
			const auto folder = "dead/" + std::to_string(i);
			std::filesystem::create_directories(dir.path() / folder);
			paths.push_back((dir.path() / folder / "token").string());
			files.push_back(reader.open(paths.back(), counts));
		}
		for (auto& file : files) {
			EXPECT_TRUE(comes(file, "has not answered for"));
		}
		EXPECT_LE(hanging.hanging(), 6);
		well = reader.open(wellPath, counts);
		EXPECT_TRUE(comes(well, "s.WELL"));
	}
	EXPECT_TRUE(comes(files.front(), "No such file"));
	EXPECT_TRUE(comes(files.back(), "No such file"));
	files.clear();
}

TEST_F(HangingReaderTest, BesideALookThatHangsAnotherIsTriedSinceTheFileSystemMayBeMountedAnew)
{
	std::filesystem::create_directories(dir.path() / "mount");
	const auto path = dir.write("mount/token", "s.NEW").string();
	Reader::File file;
	{
		const issuer::test::HangingFiles hanging(dir.path() / "mount");
		file = reader.open(path, counts);
		hanging.await(1);
		EXPECT_TRUE(comes(file, "has not answered for"));
		time.pass(1min);
		hanging.await(2); // looked at once more
	}
	EXPECT_TRUE(comes(file, "s.NEW"));
}

} // namespace
} // namespace issuer::vault::credential
