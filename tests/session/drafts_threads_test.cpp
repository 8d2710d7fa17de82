// Unsaved changes of scenarios are written without holding anyone up, and are there when they are asked for.
#include "session/drafts.hpp"

#include <chrono>
#include <fstream>
#include <thread>

#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;

namespace {

// What a session that is opened now would run instead of the file. (Of what is written by then, its file.)
std::optional<std::string> Given(const session::Drafts& drafts, const std::string& path) {
    session::ScenarioOptions options;
    drafts.Give(path, options);
    if (options.draftText) return options.draftText;
    if (options.draft.empty() || !std::ifstream(options.draft)) return std::nullopt;
    return support::ReadFile(options.draft);
}

}  // namespace

TEST_CASE("a draft is there at once, after the program ended, and no more when it was dropped", "[threads]") {
    const support::ScratchFolder folder;
    const std::string place = folder / "drafts";
    {
        session::Drafts drafts(place);
        CHECK_FALSE(Given(drafts, "/a.iridis"));
        for (int i = 0; i < 50; ++i) {
            drafts.Keep("/a.iridis", std::string(10'000, static_cast<char>('a' + i % 26)));
            drafts.Keep("/b.iridis", "");
            CHECK(Given(drafts, "/a.iridis") == std::string(10'000, static_cast<char>('a' + i % 26)));
            CHECK(Given(drafts, "/b.iridis") == "");  // nothing is a draft, too
            drafts.Drop("/a.iridis");
            CHECK_FALSE(Given(drafts, "/a.iridis"));
        }
        drafts.Keep("/c.iridis", "kept");
        CHECK_FALSE(drafts.TakeFailure());
    }
    session::Drafts again(place);
    CHECK_FALSE(Given(again, "/a.iridis"));
    CHECK(Given(again, "/c.iridis") == "kept");
}

TEST_CASE("a draft that cannot be kept is told of once; without a folder nothing is kept", "[threads]") {
    const support::ScratchFolder folder;
    const std::string file = folder.Write("file", "not a folder");
    {
        session::Drafts drafts(file + "/drafts");
        drafts.Keep("/a.iridis", "text");
        std::optional<Failure> failure;
        for (int i = 0; i < 5000 && !failure; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            failure = drafts.TakeFailure();
        }
        REQUIRE(failure);
        CHECK(failure->where.find("drafts") != std::string::npos);
        CHECK_FALSE(drafts.TakeFailure());
    }
    session::Drafts nowhere("");
    nowhere.Keep("/a.iridis", "text");
    CHECK_FALSE(Given(nowhere, "/a.iridis"));
}
