#include "session/analyst.hpp"

#include "analysis/flame_layout.hpp"
#include "analysis/flame_lookup.hpp"
#include "analysis/site_check.hpp"
#include "session/session.hpp"

namespace residue::session {
namespace {

// Views are compared by what they show: a log only grows.
struct ProfileKey {
    log::LogView view;
    analysis::ProfileRange range;
    analysis::BlockFilter filter;
    analysis::SiteMeasure measure{};
    analysis::Direction direction{};
    bool compared = false;
    std::optional<Against> against;     // with which; none: with the range's beginning
    std::uint64_t againstNumber = 0;    // it is known by; 0: none
    bool SameEarlier(const ProfileKey& other) const {
        if (compared != other.compared || againstNumber != other.againstNumber || filter != other.filter) return false;
        return against || (view.Rows() == other.view.Rows() && range.from == other.range.from &&
                           range.peak == other.range.peak);
    }
    bool SameProfile(const ProfileKey& other) const {
        return view.Rows() == other.view.Rows() && range.from == other.range.from && range.to == other.range.to &&
               range.peak == other.range.peak && filter == other.filter;
    }
    friend bool operator==(const ProfileKey& a, const ProfileKey& b) {
        return a.SameProfile(b) && a.SameEarlier(b) && a.measure == b.measure && a.direction == b.direction;
    }
};

struct LivesKey {
    log::LogView view;
    analysis::LivesRequest request;
    analysis::BlockFilter filter;
    friend bool operator==(const LivesKey& a, const LivesKey& b) {
        return a.view.Rows() == b.view.Rows() && a.request == b.request && a.filter == b.filter;
    }
};

struct AddressesKey {
    log::LogView view;
    AllocatorId allocator{};
    friend bool operator==(const AddressesKey& a, const AddressesKey& b) {
        return a.view.Rows() == b.view.Rows() && a.allocator == b.allocator;
    }
};

// Which call traces have a filter's site in them.
struct SitesKey {
    log::LogView view;
    std::uint32_t traces = 0;  // that there were
    std::string site;
    friend bool operator==(const SitesKey& a, const SitesKey& b) { return a.traces == b.traces && a.site == b.site; }
};

// An answer given out is never changed: it is known by its address, which the key keeps alive.
struct NodeKey {
    log::LogView view;
    std::shared_ptr<const ProfileAnswer> answer;
    std::uint32_t node = 0;
    friend bool operator==(const NodeKey& a, const NodeKey& b) { return a.answer == b.answer && a.node == b.node; }
};

struct MatchesKey {
    std::shared_ptr<const ProfileAnswer> answer;
    std::string text;
    friend bool operator==(const MatchesKey&, const MatchesKey&) = default;
};

struct FindKey {
    log::LogView view;
    const analysis::Series* series = nullptr;
    analysis::Condition condition;
    Position from{};
    bool forward = true;
    std::uint64_t number = 0;  // of the question: the same one may be asked again
    friend bool operator==(const FindKey& a, const FindKey& b) { return a.number == b.number; }
};

struct FoundAt {
    std::optional<Position> position;
};

}  // namespace

struct Analyst::State {
    // The profiler's own: profiles are kept for the next measure or direction.
    std::optional<ProfileKey> profileKey, earlierKey;
    std::optional<analysis::Profile> profile, earlier;

    // False: cancelled.
    bool MakeProfiles(const ProfileKey& key, const std::atomic<bool>& cancelled, std::atomic<double>& progress) {
        if (!profileKey || !profileKey->SameProfile(key)) {
            profileKey.reset();
            profile = analysis::MakeProfile(key.view, key.range, key.filter, &cancelled, &progress);
            if (!profile) return false;
            profileKey = key;
        }
        if (!key.compared || (earlierKey && earlierKey->SameEarlier(key))) return true;
        earlierKey.reset();
        const analysis::ProfileRange before = key.against
                                                  ? analysis::ProfileRange{{}, key.against->at, key.against->peak}
                                                  : analysis::ProfileRange{{}, key.range.from, key.range.peak};
        earlier = analysis::MakeProfile(key.against ? key.against->view : key.view, before, key.filter, &cancelled,
                                        &progress);
        if (earlier) earlierKey = key;
        return earlier.has_value();
    }

    std::shared_ptr<const ProfileAnswer> MakeProfile(const ProfileKey& key, const std::atomic<bool>& cancelled,
                                                     std::atomic<double>& progress) {
        constexpr std::size_t kMostSites = 100;  // that grew, and that shrank
        if (!MakeProfiles(key, cancelled, progress)) return nullptr;
        analysis::FlameBuilder builder(key.direction);
        builder.Add(key.view, *profile, key.measure);
        if (key.compared) {
            const bool another = key.against.has_value();
            builder.Compare(another ? key.against->view : key.view, *earlier, key.measure, another);
        }
        ProfileAnswer answer;
        answer.profile = *profile;
        answer.flame = builder.Finish();
        answer.weights = analysis::FlameWeights(answer.flame);
        if (key.compared) {
            answer.earlier = earlier;
            answer.growth = analysis::GrowthOf(answer.flame, kMostSites);
            if (key.against) answer.earlierName = key.against->name;
        }
        return std::make_shared<const ProfileAnswer>(std::move(answer));
    }

    Background<ProfileKey, ProfileAnswer> profiles{
        [this](const ProfileKey& key, const std::atomic<bool>& cancelled, std::atomic<double>& progress) {
            return MakeProfile(key, cancelled, progress);
        }};
    Background<LivesKey, analysis::LivesPicture> lives{
        [](const LivesKey& key, const std::atomic<bool>& cancelled, std::atomic<double>& progress) {
            auto made = analysis::MakeLives(key.view, key.request, key.filter, &cancelled, &progress);
            return made ? std::make_shared<const analysis::LivesPicture>(std::move(*made)) : nullptr;
        }};
    using Addresses = std::vector<analysis::AddressPiece>;
    Background<AddressesKey, Addresses> addresses{
        [](const AddressesKey& key, const std::atomic<bool>& cancelled,
           std::atomic<double>&) -> std::shared_ptr<const Addresses> {
            auto made = analysis::AddressesOf(key.view, key.allocator, &cancelled);
            if (cancelled.load(std::memory_order_relaxed)) return nullptr;
            return std::make_shared<const Addresses>(std::move(made));
        }};
    std::optional<FindKey> finding;
    std::uint64_t findings = 0;
    Background<FindKey, FoundAt> finder{
        [](const FindKey& key, const std::atomic<bool>& cancelled,
           std::atomic<double>&) -> std::shared_ptr<const FoundAt> {
            const auto at =
                analysis::FindNext(key.view, *key.series, key.condition, key.from, key.forward, &cancelled);
            if (cancelled.load(std::memory_order_relaxed)) return nullptr;
            return std::make_shared<const FoundAt>(FoundAt{at});
        }};

    Background<NodeKey, std::vector<bool>> traces{
        [](const NodeKey& key, const std::atomic<bool>&, std::atomic<double>&) {
            return std::make_shared<const std::vector<bool>>(
                analysis::TracesOf(key.answer->flame, key.view, key.node));
        }};
    Background<MatchesKey, FlameFound> matches{
        [](const MatchesKey& key, const std::atomic<bool>&, std::atomic<double>&) {
            return std::make_shared<const FlameFound>(
                FlameFound{key.answer, key.text, analysis::Search(key.answer->flame, key.text)});
        }};
    Background<SitesKey, std::vector<bool>> sites{
        [](const SitesKey& key, const std::atomic<bool>& cancelled,
           std::atomic<double>&) -> std::shared_ptr<const std::vector<bool>> {
            auto made = analysis::TracesWith(key.view, key.site, &cancelled);
            if (cancelled.load(std::memory_order_relaxed)) return nullptr;
            return std::make_shared<const std::vector<bool>>(std::move(made));
        }};

    // The filter's answer for single blocks, kept while the log does not grow.
    std::optional<analysis::FilterCheck> check;
    std::uint64_t checkRows = 0;
    std::shared_ptr<const std::vector<bool>> siteTraces;  // of the filter's site, as far as they are known
    std::uint64_t filterState = 0;
};

Analyst::Analyst(Session& session) : session_(session), state_(std::make_unique<State>()) {}
Analyst::~Analyst() = default;

void Analyst::SetFilter(analysis::BlockFilter filter) {
    if (filter == filter_) return;
    if (filter.site != filter_.site) state_->siteTraces.reset();
    filter_ = std::move(filter);
    state_->check.reset();
    ++state_->filterState;
    Tick();  // begins to look at once
}

void Analyst::Tick() {
    if (filter_.site.empty()) return;
    const log::LogView& view = session_.View();
    if (state_->siteTraces != nullptr && state_->siteTraces->size() > view.Traces()) return;
    const auto reply = state_->sites.Ask({view, view.Traces(), filter_.site});
    if (!reply.fresh || reply.value == nullptr || reply.value == state_->siteTraces) return;
    state_->siteTraces = reply.value;
    ++state_->filterState;
}

std::uint64_t Analyst::FilterState() const { return state_->filterState; }

bool Analyst::Passes(BlockId block) const {
    if (!filter_.Any()) return true;
    const log::LogView& view = session_.View();
    if (!state_->check || state_->checkRows != view.Rows().value) {
        state_->check.emplace(analysis::FilterCheck::WithoutSite(view, filter_));
        state_->checkRows = view.Rows().value;
    }
    const log::LoggedEvent birth = view.Birth(block);
    if (!state_->check->Passes(birth, view.Life(block))) return false;
    if (filter_.site.empty()) return true;
    const TraceId trace = birth.event.trace;
    return state_->siteTraces == nullptr || trace.value >= state_->siteTraces->size() ||
           (*state_->siteTraces)[trace.value];
}

void Analyst::SetAgainst(std::optional<Against> against) {
    against_ = std::move(against);
    ++againstNumber_;
}

Reply<ProfileAnswer> Analyst::AskProfile(analysis::SiteMeasure measure, analysis::Direction direction, bool compared) {
    ProfileKey key;
    key.view = session_.View();
    if (range_) key.range = {range_->first, range_->second};
    else key.range.to = session_.Now();
    // The peak of what is looked at: the whole run's where that lies in it.
    const auto column = [&] {
        std::vector<analysis::SeriesColumn> columns;
        session_.Series().Columns(key.range.from, key.range.to + 1, 1, columns);
        return columns[0];
    }();
    key.range.peak = column.any ? column.liveMaxAt : key.range.to;
    key.filter = filter_;
    key.measure = measure;
    key.direction = direction;
    key.against = against_;
    key.againstNumber = against_ ? againstNumber_ : 0;
    key.compared = against_ || (compared && range_.has_value());
    return state_->profiles.Ask(key);
}

Reply<analysis::LivesPicture> Analyst::AskLives(const analysis::LivesRequest& request) {
    return state_->lives.Ask({session_.View(), request, filter_});
}

Reply<std::vector<analysis::AddressPiece>> Analyst::AskAddresses(AllocatorId allocator) {
    return state_->addresses.Ask({session_.View(), allocator});
}

Reply<std::vector<bool>> Analyst::AskTraces(std::shared_ptr<const ProfileAnswer> answer, std::uint32_t node) {
    return state_->traces.Ask({session_.View(), std::move(answer), node});
}

Reply<FlameFound> Analyst::AskMatches(std::shared_ptr<const ProfileAnswer> answer, const std::string& text) {
    return state_->matches.Ask({std::move(answer), text});
}

void Analyst::Find(analysis::Condition condition, bool forward) {
    condition_ = condition;
    state_->finding = FindKey{session_.View(), &session_.Series(), std::move(condition), session_.Now(), forward,
                              ++state_->findings};
}

Analyst::Found Analyst::Look() {
    if (!state_->finding) return Found::Nothing;
    const auto reply = state_->finder.Ask(*state_->finding);
    if (!reply.fresh) return Found::Looking;
    state_->finding.reset();
    if (reply.value == nullptr || !reply.value->position) return Found::Nowhere;
    session_.Play(false);
    session_.SeekTo(*reply.value->position);
    return Found::There;
}

void Analyst::StopFinding() { state_->finding.reset(); }

bool Analyst::Working() const {
    return state_->profiles.Busy() || state_->lives.Busy() || state_->addresses.Busy() || state_->traces.Busy() ||
           state_->matches.Busy() || state_->sites.Busy() || state_->finding.has_value();
}

}  // namespace residue::session
