using Broker;
using Broker.Operations;

var (app, settings, problem) = BrokerHost.Create(args);
if (problem is not null)
{
    Console.Error.WriteLine(problem);
    return 1;
}

if (args is [HealthCheck.Argument]) return await HealthCheck.RunAsync(settings);

app!.AnnounceAddress();
await app!.RunAsync();
return 0;
