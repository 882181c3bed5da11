#include "credential/source.h"

#include <mutex>
#include <utility>

namespace issuer::vault::credential {

void Source::open(Reader& reader, NewsListener& listener)
{
	_read = false;
	_urgent = false;
	_trouble.reset();
	_candidate = {};
	_news.reset();
	if (_origin.kind == Origin::Kind::file) {
		_file = reader.open(_origin.name, listener);
		return;
	}
	if (_origin.kind == Origin::Kind::login || isTaken()) {
		return;
	}
	auto token = readHere(_origin);
	_news = std::make_unique<News>();
	if (token) {
		_news->token = std::move(*token);
		_origin.value = Secret();
	}
	else {
		_news->trouble = std::move(token.error().text);
	}
}

void Source::close() noexcept
{
	_file = {};
	_news.reset();
	_candidate = {};
}

void Source::offer(Secret token)
{
	if (!_news) {
		_news = std::make_unique<News>();
	}
	_news->token = std::move(token);
}

Source::Update Source::update()
{
	auto taken = _file ? _file.take() : std::nullopt;
	auto* const news = taken ? &*taken : _news.get();
	Update update;
	if (news == nullptr) {
		if (!_read && !_file && !_current.empty()) {
			_read = true;
			update.kind = Update::Kind::first;
		}
		return update;
	}
	try {
		if (!news->token.empty()) {
			update = compare(news->token);
			update.recovered = _trouble && news->trouble.empty();
			_trouble.reset();
		}
		if (!news->trouble.empty()) {
			update.kind = update.kind == Update::Kind::none ? Update::Kind::trouble : update.kind;
			update.hanging = news->hanging;
			update.trouble = news->trouble;
			_trouble = std::make_unique<std::string>(std::move(news->trouble));
		}
		update.note = std::move(news->note);
	}
	catch (...) {
		lookNow(); // out of memory: another look brings the same news
		throw;
	}
	_news.reset();
	return update;
}

/// Compares a token that was read with the current one and the candidate.
Source::Update Source::compare(Secret& token)
{
	Update update;
	if (!_read) {
		if (!_current.equals(token.view())) {
			static_cast<void>(use(std::move(token)));
		}
		_read = true;
		update.kind = Update::Kind::first;
	}
	else if (_current.equals(token.view())) {
		update.kind = _candidate.empty() ? Update::Kind::none : Update::Kind::gone;
		_candidate = {};
	}
	else if (!_candidate.equals(token.view())) {
		_candidate = std::move(token);
		update.kind = Update::Kind::candidate;
	}
	return update;
}

Result<Secret> Source::readNow(Reader& reader, std::chrono::steady_clock::time_point deadline) const
{
	if (_origin.kind == Origin::Kind::file) {
		return reader.readOnce(_origin.name, deadline);
	}
	if (_origin.kind == Origin::Kind::login || isTaken()) {
		return current();
	}
	return readHere(_origin);
}

/// Returns whether the configuration's value has become the current token: it never changes, and one copy is enough.
bool Source::isTaken() const
{
	return _origin.kind == Origin::Kind::value && _origin.value.empty() && !current().empty();
}

Secret Source::current() const
{
	const std::lock_guard lock(_mutex);
	return _current.share();
}

/// Returns the token before: dropped, it is wiped, unless another shares it.
Secret Source::use(Secret token) noexcept
{
	const std::lock_guard lock(_mutex);
	std::swap(_current, token);
	return token;
}

void Source::drop() noexcept
{
	_read = false;
	static_cast<void>(use({}));
}

Secret Source::adopt() noexcept
{
	_read = true;
	return use(std::exchange(_candidate, {}));
}

void Source::setUrgent(bool urgent) noexcept
{
	if (_file && std::exchange(_urgent, urgent) != urgent) {
		_file.setUrgent(urgent);
	}
}

void Source::lookNow() noexcept
{
	if (_file) {
		_file.lookNow();
	}
}

} // namespace issuer::vault::credential
