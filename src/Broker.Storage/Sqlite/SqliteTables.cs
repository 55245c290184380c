using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Sqlite;

/// <summary>The tables of the hot statements, read from the EF model once.</summary>
internal static class SqliteTables
{
    private static readonly IModel Model = ReadModel();

    public static readonly StepStatements<StepRow> Steps = new(Model);

    private static IModel ReadModel()
    {
        using var db = new SqliteDesign().CreateDbContext([]);
        return db.Model;
    }
}
