using Broker;
using Broker.Operations;
using Broker.Operations.Commands;
using Broker.Storage.Schema;

if (await DatabaseCommands.TryRunAsync(args) is { } done) return done;

var (app, settings, problem) = BrokerHost.Create(args);
if (problem is not null)
{
    Console.Error.WriteLine(problem);
    return 1;
}

if (args is [HealthCheck.Argument]) return await HealthCheck.RunAsync(settings);

app!.AnnounceAddress();
try
{
    await app!.RunAsync();
    return 0;
}
catch (SchemaMismatchException refused)
{
    Console.Error.WriteLine(refused.Message);
    return 1;
}
