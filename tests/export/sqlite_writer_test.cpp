// A log as an SQLite database: what SQL says of it is what the log says.
#include "export/sqlite_writer.hpp"

#include <filesystem>

#include "export/small_log.hpp"

using namespace residue;
using namespace residue::exports::testing;

#ifdef RESIDUE_SQLITE
#include <sqlite3.h>

namespace {

// Rows with a line end behind each, columns with '|' between them; NULL is empty.
std::string Ask(const std::string& path, const std::string& sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
    std::string answer;
    char* error = nullptr;
    const auto row = [](void* to, int count, char** values, char**) {
        for (int i = 0; i < count; ++i) {
            *static_cast<std::string*>(to) += std::string(i == 0 ? "" : "|") + (values[i] == nullptr ? "" : values[i]);
        }
        *static_cast<std::string*>(to) += '\n';
        return 0;
    };
    const int code = sqlite3_exec(database, sql.c_str(), row, &answer, &error);
    INFO((error == nullptr ? "" : error));
    CHECK(code == SQLITE_OK);
    sqlite3_free(error);
    sqlite3_close(database);
    return answer;
}

// The statements of the examples in export/README.md: what stands in ```sql fences.
std::vector<std::string> Examples() {
    const std::string text = support::ReadFile(std::filesystem::path(RESIDUE_SOURCE_DIR) / "core/export/README.md");
    std::vector<std::string> examples;
    for (std::size_t at = 0; (at = text.find("```sql\n", at)) != std::string::npos;) {
        at += 7;
        examples.push_back(text.substr(at, text.find("```", at) - at));
    }
    return examples;
}

}  // namespace

TEST_CASE("SQLite: tables, positions and names are the log's") {
    const SmallLog small;
    const std::string path = small.folder.Write("a.sqlite", "what was there before");
    exports::WriteSummary summary;
    REQUIRE(exports::WriteSqlite(small.view, path, {nullptr, &summary, nullptr}));
    CHECK(summary.operations == small.view.Rows().value);
    CHECK(Ask(path, "PRAGMA integrity_check") == "ok\n");
    CHECK(Ask(path, "SELECT count(*) FROM events") == std::to_string(small.view.Rows().value) + "\n");
    CHECK(Ask(path, "SELECT position, size, error FROM events WHERE kind = 'allocate failed'") ==
          "4|9000|BufferTooLarge\n");
    CHECK(Ask(path, "SELECT born, died, size, thread, trace FROM blocks ORDER BY id") ==
          "1|3|100|1|1\n2|5|50|1|2\n5||80|1|2\n6|7|24|2|\n8||30|1|3\n");
    CHECK(Ask(path, "SELECT function, file, line FROM frames ORDER BY id") ==
          "main|main.c|3\nparse<a, b>; \"x\"&|parse.c|7\nread||\n");
    CHECK(Ask(path, "SELECT value FROM info WHERE key = 'positions'") == "8\n");
    for (Row row{}; row < small.view.Rows(); ++row) {
        CHECK(Ask(path, "SELECT position FROM events WHERE id = " + std::to_string(row.value)) ==
              std::to_string(small.view.PositionOf(row).value) + "\n");
    }
}

TEST_CASE("SQLite: the questions in the guide have answers") {
    const SmallLog small;
    REQUIRE(exports::WriteSqlite(small.view, small.folder / "a.db"));
    const std::vector<std::string> examples = Examples();
    REQUIRE(examples.size() == 3);
    CHECK(Ask(small.folder / "a.db", examples[0]) == "parse<a, b>; \"x\"&|1|80\nread|1|30\n");
    CHECK(Ask(small.folder / "a.db", examples[1]) == "100|1|3\n50|2|5\n");
    CHECK(Ask(small.folder / "a.db", examples[2]) == "0|read\n1|parse<a, b>; \"x\"&\n2|main\n");
}

TEST_CASE("SQLite: cancelled, or where there is no room for it, what was there stays") {
    const SmallLog small;
    const std::string path = small.folder.Write("a.sqlite", "precious");
    const std::atomic<bool> cancelled{true};
    CHECK_FALSE(exports::WriteSqlite(small.view, path, {&cancelled, nullptr, nullptr}));
    CHECK(support::ReadFile(path) == "precious");
    CHECK(std::distance(std::filesystem::directory_iterator(small.folder.Path()), {}) == 1);
    const auto device = exports::WriteSqlite(small.view, "/dev/null");
    REQUIRE_FALSE(device);
    CHECK(device.error().what == "is no place for a database");
    CHECK_FALSE(exports::WriteSqlite(small.view, small.folder / "nowhere/a.sqlite"));
}
#else
TEST_CASE("SQLite: a build without it says so") {
    const SmallLog small;
    const auto done = exports::WriteSqlite(small.view, small.folder / "a.sqlite");
    REQUIRE_FALSE(done);
    CHECK(done.error().expected == "a build with libsqlite3-dev installed");
}
#endif
