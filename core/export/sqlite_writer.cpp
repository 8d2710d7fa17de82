#include "export/sqlite_writer.hpp"

#ifndef RESIDUE_SQLITE

namespace residue::exports {

Outcome<void> WriteSqlite(const log::LogView&, const std::string& path, const WriteExtras&) {
    return Fail(Failure{path, "this build cannot write SQLite databases", "a build with libsqlite3-dev installed"});
}

}  // namespace residue::exports

#else

#include <sqlite3.h>

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "events/event_names.hpp"
#include "export/atomic_file.hpp"

namespace residue::exports {
namespace {

constexpr std::uint64_t kLookEvery = 4096;

constexpr const char* kTables = R"(
CREATE TABLE info(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE frames(id INTEGER PRIMARY KEY, address INTEGER, function TEXT, file TEXT, line INTEGER);
CREATE TABLE traces(id INTEGER PRIMARY KEY, parent INTEGER, frame INTEGER);
CREATE TABLE events(id INTEGER PRIMARY KEY, position INTEGER, kind TEXT, stamp INTEGER, allocator INTEGER,
  thread INTEGER, address INTEGER, size INTEGER, header INTEGER, padding INTEGER, rounding INTEGER, slack INTEGER,
  alignment INTEGER, argument INTEGER, error TEXT, flags INTEGER, trace INTEGER, block INTEGER, old_block INTEGER,
  text TEXT);
CREATE TABLE blocks(id INTEGER PRIMARY KEY, born INTEGER, died INTEGER, born_event INTEGER, died_event INTEGER,
  address INTEGER, size INTEGER, set_aside INTEGER, allocator INTEGER, thread INTEGER, trace INTEGER);
)";

constexpr const char* kIndices = R"(
CREATE INDEX events_position ON events(position);
CREATE INDEX events_kind ON events(kind);
CREATE INDEX events_address ON events(address);
CREATE INDEX blocks_born ON blocks(born);
CREATE INDEX blocks_died ON blocks(died);
CREATE INDEX blocks_address ON blocks(address);
CREATE INDEX blocks_size ON blocks(size);
CREATE INDEX blocks_trace ON blocks(trace);
CREATE INDEX traces_parent ON traces(parent);
)";

// A connection; the first error stays, and nothing is done after it.
class Database {
public:
    explicit Database(const std::string& path) {
        Check(sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                              nullptr));
    }
    ~Database() { sqlite3_close(handle_); }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void Run(const char* sql) {
        if (Fine()) Check(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr));
    }
    void Check(int code) {
        if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW || !Fine()) return;
        error_ = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
    }
    bool Fine() const { return error_.empty(); }
    const std::string& Error() const { return error_; }
    sqlite3* Handle() const { return handle_; }

private:
    sqlite3* handle_ = nullptr;
    std::string error_;
};

// An INSERT, bound column by column. Numbers of 64 bits become SQLite's signed ones, bit by bit.
class Insert {
public:
    Insert(Database& database, const char* sql) : database_(database) {
        if (database.Fine()) database.Check(sqlite3_prepare_v2(database.Handle(), sql, -1, &statement_, nullptr));
    }
    ~Insert() { sqlite3_finalize(statement_); }
    Insert(const Insert&) = delete;
    Insert& operator=(const Insert&) = delete;

    Insert& Number(std::uint64_t value) {
        if (database_.Fine()) sqlite3_bind_int64(statement_, ++column_, static_cast<sqlite3_int64>(value));
        return *this;
    }
    // 0: NULL
    Insert& Some(std::uint64_t value) { return value == 0 ? Null() : Number(value); }
    Insert& Text(std::string_view text) {
        if (text.empty()) return Null();
        if (database_.Fine()) {
            sqlite3_bind_text(statement_, ++column_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
        }
        return *this;
    }
    Insert& Null() {
        if (database_.Fine()) sqlite3_bind_null(statement_, ++column_);
        return *this;
    }
    void Done() {
        column_ = 0;
        if (!database_.Fine()) return;
        database_.Check(sqlite3_step(statement_));
        sqlite3_reset(statement_);
    }

private:
    Database& database_;
    sqlite3_stmt* statement_ = nullptr;
    int column_ = 0;
};

class Writer {
public:
    Writer(const log::LogView& log, Database& database, const WriteExtras& extras)
        : log_(log), database_(database), extras_(extras), steps_(log.Rows().value + log.Blocks() + log.Traces()) {}

    // False: cancelled, or an error that the database keeps.
    bool Run() {
        // The file is of no use until it is whole, so nothing is done to bring back a half of it.
        database_.Run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN");
        database_.Run(kTables);
        Info();
        if (!Traces() || !Events() || !Blocks()) return false;
        database_.Run(kIndices);
        database_.Run("COMMIT");
        return database_.Fine();
    }

private:
    bool GoOn() {
        if (done_++ % kLookEvery != 0) return true;
        if (extras_.progress != nullptr) {
            // The indices take about a quarter of the time.
            extras_.progress->store(0.75 * static_cast<double>(done_) / static_cast<double>(steps_ + 1),
                                    std::memory_order_relaxed);
        }
        const bool stop = extras_.cancelled != nullptr && extras_.cancelled->load(std::memory_order_relaxed);
        return !stop && database_.Fine();
    }

    void Info() {
        Insert insert(database_, "INSERT INTO info VALUES(?, ?)");
        const log::SourceInfo& source = log_.Source();
        insert.Text("name").Text(source.name).Done();
        insert.Text("provenance").Text(source.provenance).Done();
        insert.Text("positions").Number(log_.Positions().value).Done();
        insert.Text("clock").Text(source.clock == log::Clock::Ticks ? "ticks" : "steps").Done();
        insert.Text("ticks_per_second").Number(static_cast<std::uint64_t>(source.ticksPerSecond)).Done();
        insert.Text("layout_simulated").Number(source.layoutSimulated).Done();
        insert.Text("payloads_only").Number(source.payloadsOnly.value).Done();
    }

    bool Traces() {
        Insert trace(database_, "INSERT INTO traces VALUES(?, ?, ?)");
        Insert frame(database_, "INSERT INTO frames VALUES(?, ?, ?, ?, ?)");
        std::unordered_map<std::uint64_t, std::uint32_t> ids;
        for (std::uint32_t id = 1; id != 0 && id <= log_.Traces(); ++id) {
            if (!GoOn()) return false;
            const std::uint64_t address = log_.FrameAddress(TraceId{id});
            const auto [at, fresh] = ids.try_emplace(address, static_cast<std::uint32_t>(ids.size() + 1));
            if (fresh) {
                const log::Frame name = log_.TopFrame(TraceId{id});
                frame.Number(at->second).Number(address).Text(name.function).Text(name.file).Some(name.line).Done();
            }
            trace.Number(id).Some(log_.ParentTrace(TraceId{id}).value).Number(at->second).Done();
        }
        return true;
    }

    bool Events() {
        Insert insert(database_, "INSERT INTO events VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
        std::uint64_t calls = 0;
        for (Row row{}; row < log_.Rows(); ++row) {
            if (!GoOn()) return false;
            const log::LoggedEvent logged = log_.At(row);
            const events::Event& event = logged.event;
            // As LogView::PositionOf: the first position at which it has happened.
            const std::uint64_t position = event.Trails() ? calls : calls + 1;
            calls += event.EndsCall();
            insert.Number(row.value).Number(position).Text(events::Info(event.kind).text).Number(event.stamp);
            insert.Some(event.allocator.value).Some(event.thread.value).Number(event.address).Number(event.size);
            insert.Number(event.header).Number(event.padding).Number(event.rounding).Number(event.slack);
            if (event.alignmentLog2 == 0)
                insert.Null();
            else
                insert.Number(std::uint64_t{1} << (event.alignmentLog2 & 63));
            insert.Number(event.argument);
            const std::string_view error = events::ErrorName(event.kind, event.error);
            if (error.empty())
                insert.Some(event.error);
            else
                insert.Text(error);
            insert.Number(event.flags).Some(event.trace.value).Some(logged.block.value).Some(logged.oldBlock.value);
            insert.Text(log_.Text(row)).Done();
        }
        return true;
    }

    bool Blocks() {
        Insert insert(database_, "INSERT INTO blocks VALUES(?,?,?,?,?,?,?,?,?,?,?)");
        for (std::uint32_t id = 1; id != 0 && id <= log_.Blocks(); ++id) {
            if (!GoOn()) return false;
            const log::BlockLife life = log_.Life(BlockId{id});
            const events::Event event = log_.Birth(BlockId{id}).event;
            insert.Number(id).Number(log_.PositionOf(life.born).value);
            const bool dies = life.died.value != log::kNever;
            if (dies)
                insert.Number(log_.PositionOf(life.died).value);
            else
                insert.Null();
            insert.Number(life.born.value);
            if (dies)
                insert.Number(life.died.value);
            else
                insert.Null();
            insert.Number(event.address).Number(event.size).Number(event.SetAside());
            insert.Some(event.allocator.value).Some(event.thread.value).Some(event.trace.value).Done();
        }
        return true;
    }

    const log::LogView& log_;
    Database& database_;
    const WriteExtras& extras_;
    std::uint64_t steps_;
    std::uint64_t done_ = 0;
};

}  // namespace

Outcome<void> WriteSqlite(const log::LogView& log, const std::string& path, const WriteExtras& extras) {
    Outcome<AtomicFile> file = AtomicFile::Create(path);
    if (!file) return Fail(file.error());
    if (file->Temporary().empty()) return Fail(Failure{path, "is no place for a database", "a plain file"});
    {
        Database database(file->Temporary());
        const bool whole = Writer(log, database, extras).Run();
        if (!database.Fine()) return Fail(Failure{path, "cannot be written: " + database.Error(), ""});
        if (!whole) return Fail(Failure{"", "cancelled", ""});
    }
    const Outcome<void> done = file->Commit();
    if (done && extras.summary != nullptr) *extras.summary = {.operations = log.Rows().value};
    return done;
}

}  // namespace residue::exports

#endif
