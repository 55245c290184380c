using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Tables;

/// <summary>Column of a table as the EF model describes it.</summary>
/// <param name="Property">Where the row class keeps its value.</param>
/// <param name="Name">Name in the database.</param>
/// <param name="Type">Type in the database.</param>
/// <param name="IsNullable">Whether the database accepts null.</param>
internal sealed record TableColumn(PropertyInfo Property, string Name, string Type, bool IsNullable);

/// <summary>
/// Columns of one table in the order of the EF model: the key first. Hot statements take names and types from here, so that a new property of
/// the row class is in each of them.
/// </summary>
internal sealed class TableColumns<TRow>
    where TRow : class
{
    private readonly List<TableColumn> columns;

    public TableColumns(IReadOnlyModel model)
        : this(Columns(model.FindEntityType(typeof(TRow)) ?? throw new ArgumentException($"The model has no {typeof(TRow).Name}.", nameof(model))))
    {
    }

    private TableColumns(IEnumerable<TableColumn> columns) => this.columns = [.. columns];

    public int Count => columns.Count;

    public TableColumn this[int index] => columns[index];

    /// <summary>For the list of a SELECT or an INSERT.</summary>
    public string Names => string.Join(", ", columns.Select(c => c.Name));

    public IEnumerable<(string Name, string Type)> Typed => columns.Select(c => (c.Name, c.Type));

    /// <summary>For the list of a SELECT that joins tables.</summary>
    public string NamesOf(string alias) => string.Join(", ", columns.Select(c => $"{alias}.{c.Name}"));

    /// <summary>These columns without the ones of the named properties.</summary>
    public TableColumns<TRow> Without(params string[] properties)
    {
        RequireKnown(properties);
        return new(columns.Where(c => !properties.Contains(c.Property.Name, StringComparer.Ordinal)));
    }

    /// <summary>The columns of the named properties.</summary>
    public TableColumns<TRow> Only(params string[] properties)
    {
        RequireKnown(properties);
        return new(columns.Where(c => properties.Contains(c.Property.Name, StringComparer.Ordinal)));
    }

    /// <summary>Name of the column of a property.</summary>
    public string NameOf(string property) => columns.First(c => c.Property.Name == property).Name;

    private static IEnumerable<TableColumn> Columns(IReadOnlyEntityType table) =>
        table.GetProperties().Select(p => new TableColumn(p.PropertyInfo!, p.GetColumnName(), p.GetColumnType()!, p.IsNullable));

    private void RequireKnown(string[] properties)
    {
        var unknown = properties.Except(columns.Select(c => c.Property.Name)).ToList();
        if (unknown.Count > 0) throw new ArgumentException($"{typeof(TRow).Name} has no column for {string.Join(", ", unknown)}.", nameof(properties));
    }
}
