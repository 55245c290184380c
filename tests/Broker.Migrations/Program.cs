using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Design.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Design;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;

const string Usage = """
    migrations list                     migrations of every target
    migrations add NAME                 write the next migration of every target that has model changes
    migrations remove                   take the newest migration of every target back out
    migrations check                    exit 1 when a model differs from its snapshot
    migrations script [FROM [TO]]       print the SQL (FROM: 0 or a migration's name)
    --only TEXT                         only targets whose assembly name contains TEXT
    --empty                             with add: write it even when the model did not change
    """;

var words = new List<string>(args);
string? only = Option(words, "--only");
bool empty = words.Remove("--empty");

if (words.Count == 0 || words[0] is not ("list" or "add" or "remove" or "check" or "script") || (words[0] == "add" && words.Count != 2))
{
    Console.Error.WriteLine(Usage);
    return 2;
}

int exit = 0;
int seen = 0;
foreach (Target target in Target.All(only))
{
    seen++;
    using DbContext db = target.CreateContext();
    switch (words[0])
    {
        case "list":
            Console.WriteLine(target.Name);
            foreach (string id in db.Database.GetMigrations())
            {
                Console.WriteLine("  " + id);
            }

            break;
        case "check":
            bool pending = target.HasModelChanges();
            Console.WriteLine($"{target.Name}: {(pending ? "model changes are not in a migration" : "up to date")}");
            exit |= pending ? 1 : 0;
            break;
        case "script":
            Console.WriteLine($"-- {target.Name}");
            Console.WriteLine(db.GetService<IMigrator>().GenerateScript(words.ElementAtOrDefault(1), words.ElementAtOrDefault(2)));
            break;
        case "add" when !empty && !target.HasModelChanges():
            Console.WriteLine($"{target.Name}: no model change, nothing written");
            break;
        case "add":
            using (ServiceProvider services = Target.DesignServices(db))
            {
                var scaffolder = services.GetRequiredService<IMigrationsScaffolder>();
                ScaffoldedMigration made = scaffolder.ScaffoldMigration(words[1], "Broker.Storage", $"{target.Engine}.Migrations", "C#");
                MigrationFiles files = scaffolder.Save(target.Folder, made, Path.Combine(target.Folder, target.Engine, "Migrations"), dryRun: false);
                Show(target, "wrote", files);
            }

            break;
        case "remove":
            using (ServiceProvider services = Target.DesignServices(db))
            {
                // force: never ask a database whether the migration was applied.
                var scaffolder = services.GetRequiredService<IMigrationsScaffolder>();
                Show(target, "removed or reverted", scaffolder.RemoveMigration(target.Folder, target.Name, force: true, "C#", dryRun: false));
            }

            break;
    }
}

if (seen == 0)
{
    Console.Error.WriteLine("No public IDesignTimeDbContextFactory<T> in the referenced projects" + (only is null ? "." : $" matches '{only}'."));
    return 2;
}

return exit;

static string? Option(List<string> words, string name)
{
    int at = words.IndexOf(name);
    if (at < 0 || at + 1 >= words.Count)
    {
        return null;
    }

    string value = words[at + 1];
    words.RemoveRange(at, 2);
    return value;
}

static void Show(Target target, string verb, MigrationFiles files)
{
    foreach (string? file in new[] { files.MigrationFile, files.MetadataFile, files.SnapshotFile })
    {
        if (file is not null)
        {
            Console.WriteLine($"{target.Name}: {verb} {Path.GetRelativePath(target.Folder, file)}");
        }
    }
}

/// <summary>One assembly with migrations: the one that holds the design-time factory.</summary>
internal sealed record Target(string Name, string Folder, Type Factory, Type Context)
{
    /// <summary>Folder of the engine inside the project: both engines live in one assembly, each with a context of its own.</summary>
    public string Engine => Factory.Namespace!.Split('.')[^1];

    public static IEnumerable<Target> All(string? only)
    {
        const string Prefix = "Project:";
        foreach (var item in Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>())
        {
            if (!item.Key.StartsWith(Prefix, StringComparison.Ordinal))
            {
                continue;
            }

            string name = item.Key[Prefix.Length..];
            if (only is not null && !name.Contains(only, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            foreach (Type type in Assembly.Load(name).GetExportedTypes())
            {
                Type? context = type.GetInterfaces()
                    .FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IDesignTimeDbContextFactory<>))?
                    .GetGenericArguments()[0];
                if (context is not null && !type.IsAbstract)
                {
                    yield return new Target(name, Path.GetDirectoryName(item.Value!)!, type, context);
                }
            }
        }
    }

    // A context of its own: a context's snapshot can be read once, and scaffolding from a context that
    // was asked this before writes the whole model as new tables.
    public bool HasModelChanges()
    {
        using DbContext db = CreateContext();
        return db.Database.HasPendingModelChanges();
    }

    public DbContext CreateContext() => (DbContext)typeof(IDesignTimeDbContextFactory<>).MakeGenericType(Context)
        .GetMethod("CreateDbContext")!
        .Invoke(Activator.CreateInstance(Factory), [Array.Empty<string>()])!;

    public static ServiceProvider DesignServices(DbContext db)
    {
        // The context's own services first: the provider's are only added where none is there yet.
        IServiceCollection services = new ServiceCollection().AddDbContextDesignTimeServices(db);
        string provider = db.GetService<IDatabaseProvider>().Name;
        string typeName = Assembly.Load(provider).GetCustomAttribute<DesignTimeProviderServicesAttribute>()!.TypeName;
        Type type = Assembly.Load(provider).GetType(typeName, throwOnError: true)!;
        ((IDesignTimeServices)Activator.CreateInstance(type)!).ConfigureDesignTimeServices(services);
#pragma warning disable EF1001 // the only way to hear EF's warnings, such as "may result in the loss of data"
        var reporter = new OperationReporter(new OperationReportHandler(Console.Error.WriteLine, Console.Error.WriteLine));
#pragma warning restore EF1001
        return services.AddEntityFrameworkDesignTimeServices(reporter).BuildServiceProvider();
    }
}
