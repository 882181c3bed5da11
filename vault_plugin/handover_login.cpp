#include "handover_login.h"

#include "handover_fields.h"

#include <Poco/JSON/Array.h>

namespace issuer::vault::handover {

using namespace renewal;

namespace {

/// Visits the fields that say how the token in use was made.
template <class Token, class Visit>
void forEachField(Token& token, const Visit& visit, const NewToken&)
{
	visit("in_use.sent", token.sent);
	visit("in_use.answered", token.answered);
	visit("in_use.lease", token.facts.lease);
	visit("in_use.renewable", token.facts.renewable);
	visit("in_use.batch", token.facts.batch);
	visit("in_use.capped_at_birth", token.facts.cappedAtBirth);
	visit("in_use.uses_left", token.facts.usesLeft);
	visit("in_use.role_name", token.facts.roleName);
	visit.mark("in_use.mark", token.mark);
	visit.mark("in_use.identity", token.identity);
}

/// Visits the tries with one material.
template <class Material, class Visit>
void forEachField(Material& material, const Visit& visit, const LoginBudget::Material&)
{
	visit("refusals", material.refusals);
	visit("lost", material.lost);
	visit("proven", material.proven);
}

/// The one list of what is handed over, for both directions. Not in it: tokens that are not in use, which end by
/// themselves or were revoked; and the material's text fields, since it is read anew.
template <class Memory, class Visit>
void forEachField(Memory& memory, const Visit& visit)
{
	visit("as_of", memory.asOf);
	visit("started", memory.started);
	visit("wanted", memory.wanted);
	visit("held_until", memory.heldUntil);
	visit("material.usable", memory.material.usable);
	visit.mark("material.mark", memory.material.mark);
	visit.mark("material.identity", memory.material.identityMark);
	visit("material.ends", memory.material.ends);
	visit("material.refreshed", memory.material.refreshed);
	visit("material.wrapped", memory.material.wrapped);
	visit("material_at", memory.materialAt);
	visit("secret_ends", memory.secretEnds);
	visit("uses_left", memory.usesLeft);
	visit("latency", memory.latency);
	visit("empty_first", memory.emptyFirst);
	visit("look_up_forbidden", memory.lookUpForbidden);
	visit("look_up_due", memory.lookUpDue);
	visit.mark("wrap_looked_up", memory.wrapLookedUp);
	visit.mark("wrap_held", memory.wrapHeld);
	auto& life = memory.life;
	visit("life.standing", life.standing, TokenLife::Standing::ended);
	visit("life.state", life.state, State::expired);
	visit("life.reason", life.reason, Reason::loginEnds);
	visit("life.accepted", life.accepted);
	visit("life.for_ever", life.forEver);
	visit("life.renewable", life.renewable);
	visit("life.expiry", life.expiry);
	visit("life.max_ttl_end", life.maxTtlEnd);
	visit("life.lease", life.lease);
	visit("life.capped", life.capped);
	visit("took_use", memory.tookUse);
	visit("standing_since", memory.standingSince);
	visit("full_lease", memory.fullLease);
	visit.mark("used_mark", memory.usedMark);
	visit.mark("used_identity", memory.usedIdentity);
	visit("learned_life", memory.learnedLife);
	visit("lives_since_learned", memory.livesSinceLearned);
	auto& retry = memory.retry;
	visit("retry.kind", retry.kind, LoginRetry::Kind::spent);
	visit("retry.reason", retry.reason, Reason::loginEnds);
	visit("retry.streak", retry.streak);
	visit("retry.failures", retry.failures);
	visit("retry.as_of", retry.asOf);
	visit("retry.since", retry.since);
	visit("retry.not_before", retry.notBefore);
	visit("retry.lost", retry.lost);
	visit("early_deaths", memory.earlyDeaths);
	visit("successes", memory.successes);
	visit("failures", memory.failures);
	visit("ends_told", memory.endsTold);
	visit("held_told", memory.heldTold);
	visit("failing", memory.failing);
	visit("notes_unspent", memory.notesUnspent);
	visit("notes_counted", memory.notesCounted);
}

/// Visits the tries with the identity. Not in it: logins under way, of which there are none after a stop.
template <class Tries, class Visit>
void forEachField(Tries& tries, const Visit& visit, const LoginBudget::Row&)
{
	visit("tries.refusals", tries.refusals);
	visit("tries.silent", tries.silent);
	visit("tries.latest_refusal", tries.latestRefusal);
}

} // namespace

Poco::JSON::Object::Ptr toJson(const LoginHandover& handover)
{
	const auto& [memory, tries] = handover;
	Poco::JSON::Object::Ptr json = new Poco::JSON::Object(Poco::JSON_PRESERVE_KEY_ORDER);
	const Writer writer(*json);
	forEachField(memory, writer);
	Poco::JSON::Array spent;
	for (const auto mark : memory.wrapsSpent) {
		spent.add(Poco::NumberFormatter::formatHex(mark));
	}
	json->set("wraps_spent", spent);
	forEachField(tries, writer, tries);
	Poco::JSON::Array materials;
	for (const auto& [mark, material] : tries.materials) {
		Poco::JSON::Object::Ptr entry = new Poco::JSON::Object(Poco::JSON_PRESERVE_KEY_ORDER);
		Writer(*entry).mark("mark", mark);
		forEachField(material, Writer(*entry), material);
		materials.add(entry);
	}
	json->set("tries.materials", materials);
	if (memory.inUse) {
		forEachField(*memory.inUse, writer, *memory.inUse);
		Poco::JSON::Array policies;
		for (const auto& name : memory.inUse->facts.policies) {
			policies.add(name);
		}
		json->set("in_use.policies", policies);
	}
	return json;
}

LoginHandover loginFrom(const Poco::JSON::Object& json)
{
	LoginHandover handover;
	auto& [memory, tries] = handover;
	const Reader reader(json);
	forEachField(memory, reader);
	const auto spent = json.getArray("wraps_spent");
	for (std::size_t i = 0; spent && i < spent->size(); ++i) {
		memory.wrapsSpent.push_back(
			Poco::NumberParser::parseHex64(spent->getElement<std::string>(static_cast<unsigned>(i))));
	}
	if (json.has("in_use.sent")) {
		auto& token = memory.inUse.emplace();
		forEachField(token, reader, token);
		const auto policies = json.getArray("in_use.policies");
		for (std::size_t i = 0; policies && i < policies->size(); ++i) {
			token.facts.policies.push_back(policies->getElement<std::string>(static_cast<unsigned>(i)));
		}
	}
	forEachField(tries, reader, tries);
	const auto materials = json.getArray("tries.materials");
	for (std::size_t i = 0; materials && i < materials->size(); ++i) {
		const auto entry = materials->getObject(static_cast<unsigned>(i));
		if (!entry) {
			throw std::runtime_error("tries.materials is not a list of objects");
		}
		std::uint64_t mark = 0;
		Reader(*entry).mark("mark", mark);
		auto& material = tries.materials[mark];
		forEachField(material, Reader(*entry), material);
	}
	return handover;
}

void moveBy(const Mover& mover, LoginHandover& handover)
{
	auto& [memory, tries] = handover;
	forEachField(memory, mover);
	forEachField(tries, mover, tries);
	if (memory.inUse) {
		forEachField(*memory.inUse, mover, *memory.inUse);
	}
}

} // namespace issuer::vault::handover
