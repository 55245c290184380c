using Broker.Storage.Dispatch;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Postgres;

/// <summary>The tables of the hot statements, read from the EF model once.</summary>
internal static class PostgresTables
{
    private static readonly IModel Model = ReadModel();

    public static readonly StepStatements<StepRow> Steps = new(Model);

    public static readonly RunStatements Runs = new(Model);

    public static readonly InboxStatements Inbox = new(Model);

    public static readonly StartKeyStatements StartKeys = new(Model);

    public static readonly InsertStatement<RunTagRow> Tags = new("run_tag", new TableColumns<RunTagRow>(Model));
    public static readonly InsertStatement<OutboxRow> Outbox = new("outbox", new TableColumns<OutboxRow>(Model).Without(nameof(OutboxRow.Id)));

    public static readonly ClaimedColumns Claimed = new(Model);

    public static readonly RunHeritage<PostgresRows> Heritage = new(Model);

    private static IModel ReadModel()
    {
        using var db = new PostgresDesign().CreateDbContext([]);
        return db.Model;
    }
}
