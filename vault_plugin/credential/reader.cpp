#include "credential/reader.h"

#include "base/duration_text.h"
#include "credential/reader_table.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace issuer::vault::credential {

Reader::Reader(Helper helper, runtime::Scheduler& scheduler, const runtime::Clock& clock, Options options)
	: _table(std::make_shared<Table>(std::move(helper), scheduler, clock, options))
{
}

Reader::~Reader()
{
	_table->close();
}

Reader::File Reader::open(const std::string& path, NewsListener& listener, TextKind kind)
{
	return File(_table->add(path, listener, kind));
}

bool Reader::elsewhere(std::function<void()> work)
{
	return _table->help(std::move(work));
}

Reader::File::~File()
{
	if (_entry != nullptr) {
		_entry->table().remove(*_entry);
	}
}

std::optional<News> Reader::File::take() noexcept
{
	return _entry->table().take(*_entry);
}

void Reader::File::setUrgent(bool urgent) noexcept
{
	_entry->table().setUrgent(*_entry, urgent);
}

void Reader::File::lookNow() noexcept
{
	_entry->table().lookNow(*_entry);
}

Result<Secret> Reader::readOnce(const std::string& path, std::chrono::steady_clock::time_point deadline, TextKind kind)
{
	struct Answer
	{
		std::mutex mutex;
		std::condition_variable come;
		std::optional<FileLook> found;
	};
	const auto name = std::string(nameOf(kind)) + " file " + path;
	const auto begun = std::chrono::steady_clock::now();
	const auto answer = std::make_shared<Answer>();
	const bool isRead = _table->help([answer, path, kind] {
		auto found = lookAt(path, {}, kind);
		const std::lock_guard lock(answer->mutex);
		answer->found = std::move(found);
		answer->come.notify_all();
	});
	if (!isRead) {
		return failure(name + " cannot be read: no thread can be had for it");
	}
	std::unique_lock lock(answer->mutex);
	if (!answer->come.wait_until(lock, deadline, [&] { return answer->found.has_value(); })) {
		const auto waited = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
		return failure(name + " has not answered for " + durationText(waited) + ": its file system hangs");
	}
	if (!answer->found->trouble.empty()) {
		return failure(name + " " + answer->found->trouble);
	}
	return std::move(answer->found->token);
}

} // namespace issuer::vault::credential
