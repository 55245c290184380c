using Broker.Storage.Contracts;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>The layout of the storage project, drawn from its compiled types.</summary>
public sealed class FolderGraphTests
{
    /// <summary>
    /// Each folder with those that it may use, lowest first. A folder may use only those that stand above it in this list, so no circle can be written down.
    /// The root folder holds the registration alone, which sees everything.
    /// </summary>
    private static readonly (string Folder, string[] MayUse)[] Layers =
    [
        ("Contracts", []),
        ("Caching", []),
        ("Diagnostics", []),
        ("Tables", ["Contracts"]),
        ("Health", ["Contracts", "Tables", "Diagnostics"]),
        ("Catalog", ["Contracts", "Tables", "Caching", "Health"]),
        ("Signals", ["Contracts", "Health"]),
        ("Dispatch", ["Contracts", "Tables", "Diagnostics", "Health", "Catalog", "Signals"]),
        ("Matching", ["Contracts", "Tables", "Caching", "Diagnostics", "Catalog", "Signals", "Dispatch"]),
        ("Stores", ["Contracts", "Tables", "Diagnostics", "Health", "Catalog", "Signals", "Dispatch"]),
        ("Schema", ["Contracts", "Tables", "Health"]),
        ("Postgres", ["Contracts", "Tables", "Caching", "Diagnostics", "Health", "Catalog", "Signals", "Dispatch"]),
        ("Sqlite", ["Contracts", "Tables", "Catalog", "Dispatch"]),
    ];

    [Fact]
    public void Folders_use_only_those_that_the_layout_allows()
    {
        var allowed = Layers.SelectMany(layer => layer.MayUse, (layer, to) => (layer.Folder, to)).ToHashSet();
        var others = FolderGraph.Draw().Where(arrow => arrow.Key.From != "" && !allowed.Contains(arrow.Key));
        Assert.Empty(others.Select(arrow => $"{arrow.Key.From} → {arrow.Key.To}: {arrow.Value}"));
    }

    [Fact]
    public void The_layout_has_no_circle()
    {
        var known = new HashSet<string>();
        foreach (var (folder, mayUse) in Layers)
        {
            Assert.Subset(known, mayUse.ToHashSet());
            Assert.True(known.Add(folder));
        }
    }

    [Fact]
    public void Each_arrow_of_the_layout_is_used()
    {
        var drawn = FolderGraph.Draw();
        Assert.All(Layers.SelectMany(layer => layer.MayUse, (layer, to) => (layer.Folder, to)), arrow => Assert.Contains(arrow, drawn));
    }

    [Fact]
    public void The_host_sees_contracts_and_the_root_alone()
    {
        var root = typeof(StorageRegistration).Namespace!;
        var elsewhere = typeof(IStepStore).Assembly.GetExportedTypes()
            .Where(type => type.Namespace != typeof(IStepStore).Namespace && type.Namespace != root && type.Namespace?.Contains(".Migrations.", StringComparison.Ordinal) is not true);
        Assert.Empty(elsewhere.Select(type => type.FullName));
    }
}
