// What is found out about a session's log on threads of their own: profiles, flame graphs, pictures of lives, the next
// position at which a condition holds. With one filter and one range, which hold for all of it. Asked every frame; the
// latest answer is drawn, and says whether it is of the present question.
//
// Thread: one, as Session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/find.hpp"
#include "analysis/flame.hpp"
#include "analysis/flame_growth.hpp"
#include "analysis/lives.hpp"
#include "analysis/profile.hpp"
#include "session/background.hpp"

namespace residue::session {

class Session;

// Another recording, which the session's is compared with: how it was after call `at`.
struct Against {
    log::LogView view;
    std::string name;
    Position at{}, peak{};
};

// Everything of one stretch, and its call traces as a tree.
struct ProfileAnswer {
    analysis::Profile profile;
    analysis::FlameTree flame;
    std::vector<std::uint64_t> weights;  // of its nodes, to lay it out (analysis/flame_layout.hpp)
    // Where two are compared: the earlier one, of which log it is (empty: of this one), and what grew.
    std::optional<analysis::Profile> earlier;
    std::string earlierName;
    analysis::FlameGrowth growth;
};

// What a search found in a flame graph.
struct FlameFound {
    std::shared_ptr<const ProfileAnswer> answer;  // whose nodes
    std::string text;
    analysis::FlameMatches found;
};

class Analyst {
public:
    explicit Analyst(Session& session);  // which outlives it
    ~Analyst();

    // Which blocks count, in every analysis and in the heap panel.
    const analysis::BlockFilter& Filter() const { return filter_; }
    void SetFilter(analysis::BlockFilter filter);
    // Does a block pass? For what is drawn: looks at one block, at once. Names of sites are found on a thread: until
    // they are known a filter's site hides nothing.
    bool Passes(BlockId block) const;
    // Another number: Passes may answer otherwise than it did.
    std::uint64_t FilterState() const;
    // Once a frame, before what is drawn asks (the session's Tick does it): takes in what was found of the filter's
    // site. Not at any other moment, so that no frame shows half of it.
    void Tick();

    // A stretch of positions to look at instead of "up to now"; the timeline's brush. first < second
    const std::optional<std::pair<Position, Position>>& Range() const { return range_; }
    void SetRange(std::optional<std::pair<Position, Position>> range) { range_ = range; }

    // Another recording that all profiles are compared with; none: not any more.
    void SetAgainst(std::optional<Against> against);
    const std::optional<Against>& Other() const { return against_; }

    // Of the range, or of everything up to the session's Now(). `compared`: of the range, its end against its
    // beginning. Where another recording is compared with, that is.
    Reply<ProfileAnswer> AskProfile(analysis::SiteMeasure measure, analysis::Direction direction,
                                    bool compared = false);
    Reply<analysis::LivesPicture> AskLives(const analysis::LivesRequest& request);
    // The stretches of addresses that an allocator's blocks ever had.
    Reply<std::vector<analysis::AddressPiece>> AskAddresses(AllocatorId allocator);

    // Of a flame graph that was given out: the call traces at one of its nodes (analysis::TracesOf), and the nodes that
    // have a text in their name.
    Reply<std::vector<bool>> AskTraces(std::shared_ptr<const ProfileAnswer> answer, std::uint32_t node);
    Reply<FlameFound> AskMatches(std::shared_ptr<const ProfileAnswer> answer, const std::string& text);

    // Run until: looks from the session's Now(); when it is found the session goes there (at the next Look).
    void Find(analysis::Condition condition, bool forward);
    enum class Found : std::uint8_t { Nothing, Looking, There, Nowhere };
    Found Look();  // once a frame; There and Nowhere are told once
    void StopFinding();
    const std::optional<analysis::Condition>& LastCondition() const { return condition_; }

    // Something is being worked on: what is drawn will change by itself.
    bool Working() const;

private:
    struct State;
    Session& session_;
    analysis::BlockFilter filter_;
    std::optional<std::pair<Position, Position>> range_;
    std::optional<Against> against_;
    std::uint64_t againstNumber_ = 0;
    std::optional<analysis::Condition> condition_;
    std::unique_ptr<State> state_;
};

}  // namespace residue::session
