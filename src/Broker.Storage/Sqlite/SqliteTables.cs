using Broker.Storage.Dispatch;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Sqlite;

/// <summary>The tables of the hot statements, read from the EF model once.</summary>
internal static class SqliteTables
{
    private static readonly IModel Model = ReadModel();

    public static readonly StepStatements<StepRow> Steps = new(Model);

    public static readonly TableColumns<StepRow> ClaimedColumns = StepColumns.Claimed(Model);

    public static readonly RowMap<StepRow, SqliteRows> Claimed = new(ClaimedColumns);

    public static readonly RunStatements Runs = new(Model);

    public static readonly InboxStatements Inbox = new(Model);

    public static readonly StartKeyStatements StartKeys = new(Model);

    public static readonly AppendStatement<EventRow> Events = new("event", new(Model));

    public static readonly AppendStatement<RunTagRow> Tags = new("run_tag", new TableColumns<RunTagRow>(Model));
    public static readonly AppendStatement<OutboxRow> Outbox = new("outbox", new TableColumns<OutboxRow>(Model).Without(nameof(OutboxRow.Id)));

    public static readonly AppendStatement<LogLineRow> Lines = new("log", new TableColumns<LogLineRow>(Model).Without(nameof(LogLineRow.Id)));

    public static readonly RunHeritage<SqliteRows> Heritage = new(Model);

    private static IModel ReadModel()
    {
        using var db = new SqliteDesign().CreateDbContext([]);
        return db.Model;
    }
}
